"""A headless Chromium, driven through its own debugging protocol: enough to look at a page and measure it."""

import asyncio
import base64
import contextlib
import itertools
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

DEADLINE = 60.0
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
)


def program() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@dataclass(slots=True)
class Tab:
    socket: aiohttp.ClientWebSocketResponse
    seen: list[dict[str, Any]] = field(default_factory=list)  # events, oldest first
    _ids: Any = field(default_factory=lambda: itertools.count(1))

    async def call(self, method: str, **parameters: object) -> dict[str, Any]:
        number = next(self._ids)
        await self.socket.send_json({"id": number, "method": method, "params": parameters})
        while True:
            message: dict[str, Any] = await self.socket.receive_json(timeout=DEADLINE)
            if message.get("id") != number:
                self.seen.append(message)
                continue
            assert "error" not in message, message
            result: dict[str, Any] = message["result"]
            return result

    async def open(self, url: str, *, width: int, dark: bool = False, media: str = "") -> None:
        await self.call("Page.enable")
        await self.call("Log.enable")
        await self.call("Network.enable")
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.call("Emulation.setEmulatedMedia", media=media, features=[scheme])
        await self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=900,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        self.seen.clear()
        await self.call("Page.navigate", url=url)
        while not any(event.get("method") == "Page.loadEventFired" for event in self.seen):
            self.seen.append(await self.socket.receive_json(timeout=DEADLINE))

    async def evaluate(self, expression: str) -> Any:
        found = await self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        return found["result"]["value"]

    async def screenshot(self) -> bytes:
        """The whole page, as PNG."""
        found = await self.call("Page.captureScreenshot", captureBeyondViewport=True)
        return base64.b64decode(found["data"])

    async def printed(self) -> bytes:
        """The page as PDF."""
        return base64.b64decode((await self.call("Page.printToPDF", printBackground=False))["data"])

    def complaints(self) -> list[str]:
        """What the browser logged: broken resources, and whatever the content policy refused."""
        entries = [event["params"]["entry"] for event in self.seen if event.get("method") == "Log.entryAdded"]
        return [f"{entry['level']}: {entry['text']}" for entry in entries]

    def requested(self) -> list[str]:
        requests = [event for event in self.seen if event.get("method") == "Network.requestWillBeSent"]
        return [event["params"]["request"]["url"] for event in requests]


@contextlib.asynccontextmanager
async def tab(name: str, profile: Path) -> AsyncIterator[Tab]:
    process = await asyncio.create_subprocess_exec(
        name,
        *_FLAGS,
        f"--user-data-dir={profile}",
        "about:blank",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(await _address(session, profile)) as ws,
        ):
            yield Tab(ws)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await asyncio.wait_for(process.wait(), DEADLINE)


async def _address(session: aiohttp.ClientSession, profile: Path) -> str:
    """Chromium writes its port into its profile once it listens."""
    file = profile / "DevToolsActivePort"
    async with asyncio.timeout(DEADLINE):
        while not file.exists() or "\n" not in file.read_text():
            await asyncio.sleep(0.05)
        port = file.read_text().splitlines()[0]
        async with session.get(f"http://127.0.0.1:{port}/json/list") as response:
            pages = await response.json()
    address: str = next(page["webSocketDebuggerUrl"] for page in pages if page["type"] == "page")
    return address
