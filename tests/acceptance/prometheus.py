"""Debian's Prometheus and Alertmanager, run with the files of deploy/ against whatever serves /metrics here.

A test that only asks for PromQL:

    async with prometheus.watching(folder("prometheus"), "127.0.0.1:8080") as watched:
        await watched.scraped(times=3)
        rows = await watched.query("afterbell_district_coverage_ratio")
"""

import asyncio
import contextlib
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp

from tests import conftest

DEPLOY = Path(__file__).parents[2] / "deploy"
SCRAPE_SECONDS = 1
_START_SECONDS = 30.0
_LOOK_SECONDS = 0.1


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One series of an instant query."""

    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True)
class Prometheus:
    address: str

    async def query(self, expression: str, *, at: datetime | None = None) -> list[Sample]:
        """The instant vector (a scalar is a series without labels). Raises AssertionError with Prometheus's words."""
        asked = {"query": expression} | ({} if at is None else {"time": str(at.timestamp())})
        found = await self._asked("query", asked)
        if found["resultType"] == "scalar":
            return [Sample(labels={}, value=float(found["result"][1]))]
        return [Sample(labels=one["metric"], value=float(one["value"][1])) for one in found["result"]]

    async def query_range(
        self, expression: str, *, starts_at: datetime, ends_at: datetime, step: float
    ) -> list[tuple[Mapping[str, str], list[tuple[float, float]]]]:
        """Every series with its (instant, value) pairs."""
        span = {"start": str(starts_at.timestamp()), "end": str(ends_at.timestamp()), "step": str(step)}
        found = await self._asked("query_range", {"query": expression, **span})
        return [
            (one["metric"], [(float(at), float(value)) for at, value in one["values"]])
            for one in found["result"]
        ]

    async def alerts(self) -> list[dict[str, Any]]:
        """Those that are pending or firing, as Prometheus tells them: labels, annotations, state, value."""
        return list((await self._asked("alerts", {}))["alerts"])

    async def scraped(self, *, times: int = 1, job: str = "afterbell") -> None:
        """Wait until a target was scraped so often."""
        async with asyncio.timeout(_START_SECONDS + times * 2 * SCRAPE_SECONDS):
            while True:
                seen = await self.query(
                    f'sum(count_over_time(up{{job="{job}"}}[1h])) and sum(up{{job="{job}"}})'
                )
                if seen and seen[0].value >= times:
                    return
                await asyncio.sleep(_LOOK_SECONDS)

    async def _asked(self, path: str, asked: Mapping[str, str]) -> Any:
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self.address}/api/v1/{path}", data=asked)
            if asked
            else session.get(f"{self.address}/api/v1/{path}") as response,
        ):
            told = await response.json()
        assert told["status"] == "success", f"{asked}: {told.get('error')}"
        return told["data"]


@dataclass(frozen=True)
class Alertmanager:
    address: str

    @property
    def target(self) -> str:
        return self.address.removeprefix("http://")


def replaced(text: str, changes: Mapping[str, str]) -> str:
    """The text of a file of deploy/ with addresses, secrets' paths and intervals of a test; nothing else may differ.

    A value that is no longer in the file is a mistake of the test.
    """
    for old, new in changes.items():
        assert old in text, f"{old} is not in the file of deploy/"
        text = text.replace(old, new)
    return text


def placed(source: Path, target: Path, changes: Mapping[str, str]) -> Path:
    """A folder of deploy/ as it is mounted: every file as it stands but for the changes in ``target``'s name."""
    shutil.copytree(source, target.parent)
    target.write_text(replaced(target.read_text("utf-8"), changes), encoding="utf-8")
    return target


def prometheus_changes(*, target: str, alertmanager: str, token_file: Path) -> dict[str, str]:
    return {
        "service:8080": target,
        "alertmanager:9093": alertmanager,
        "/run/secrets/metrics_token": str(token_file),
        "scrape_interval: 60s": f"scrape_interval: {SCRAPE_SECONDS}s",
        "evaluation_interval: 60s": f"evaluation_interval: {SCRAPE_SECONDS}s",
    }


@contextlib.asynccontextmanager
async def watching(
    folder: Path,
    target: str,
    *,
    alertmanager: str = "127.0.0.1:9",
    token: str | None = None,
    history: str | None = None,
) -> AsyncIterator[Prometheus]:
    """Prometheus with the files of deploy/prometheus, scraping ``target`` (host:port) every second.

    ``history``: OpenMetrics text with instants, of what it shall have scraped before it was started.
    """
    token_file = folder / "metrics_token"
    token_file.write_text(token or "none is asked for", encoding="utf-8")
    changes = prometheus_changes(target=target, alertmanager=alertmanager, token_file=token_file)
    config = placed(DEPLOY / "prometheus", folder / "prometheus" / "prometheus.yml", changes)
    data = folder / "data"
    if history is not None:
        _backfill(folder, data, history)
    port = free_port()
    arguments = [
        f"--config.file={config}",
        f"--storage.tsdb.path={data}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--storage.tsdb.retention.time=400d",
        "--log.level=warn",
    ]
    async with _program("prometheus", arguments, folder, ready=f"http://127.0.0.1:{port}/-/ready"):
        yield Prometheus(f"http://127.0.0.1:{port}")


@contextlib.asynccontextmanager
async def alerting(folder: Path, changes: Mapping[str, str]) -> AsyncIterator[Alertmanager]:
    """Alertmanager with the file of deploy/alertmanager."""
    config = placed(DEPLOY / "alertmanager", folder / "alertmanager" / "alertmanager.yml", changes)
    port = free_port()
    arguments = [
        f"--config.file={config}",
        f"--storage.path={folder / 'alertmanager-data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",  # alone
        "--log.level=warn",
    ]
    async with _program(
        "prometheus-alertmanager", arguments, folder, ready=f"http://127.0.0.1:{port}/-/ready"
    ):
        yield Alertmanager(f"http://127.0.0.1:{port}")


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
    return port


def program(name: str) -> str:
    """Where a program is; without it the test is skipped, in CI it fails."""
    found = shutil.which(name)
    if found is None:
        package = "prometheus-alertmanager" if name in ("amtool", "prometheus-alertmanager") else "prometheus"
        conftest.missing_program(name, f"apt-get install {package}")
    assert found is not None
    return found


def _backfill(folder: Path, data: Path, history: str) -> None:
    text = folder / "history.txt"
    text.write_text(history, encoding="utf-8")
    told = subprocess.run(
        [program("promtool"), "tsdb", "create-blocks-from", "openmetrics", text, data],
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stdout + told.stderr


@contextlib.asynccontextmanager
async def _program(name: str, arguments: Sequence[str], folder: Path, *, ready: str) -> AsyncIterator[None]:
    log = folder / f"{name}.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            program(name), *arguments, cwd=folder, stdout=output, stderr=output
        )
    try:
        await _answers(process, ready, log)
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await asyncio.wait_for(process.wait(), _START_SECONDS)


async def _answers(process: asyncio.subprocess.Process, ready: str, log: Path) -> None:
    async with asyncio.timeout(_START_SECONDS), aiohttp.ClientSession() as session:
        while True:
            assert process.returncode is None, log.read_text("utf-8")
            with contextlib.suppress(aiohttp.ClientError):
                async with session.get(ready) as response:
                    if response.status == 200:
                        return
            await asyncio.sleep(_LOOK_SECONDS)
