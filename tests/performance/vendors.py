"""Two vendors in processes of their own: the Kajeet simulator, and one that serves pages from memory for nothing."""

import asyncio
import sys

import msgspec
from aiohttp import web

from collectors import simulation
from collectors.kajeet import simulator, world
from tests.fleet import device

FREE_PAGE = 1000


def fleet(lines: int) -> list[world.Device]:
    return [
        device(
            n,
            day_amount_mb=n % 500 / 7,
            month_amount_mb=float(n % 9000),
            last_30_days_mb=float(n % 9000),
            online=n % 3 > 0,
        )
        for n in range(lines)
    ]


def free(lines: int) -> web.Application:
    """Answers every list call with a page that was encoded beforehand."""
    rows = fleet(lines)
    pages = {
        offset: msgspec.json.encode({"totalCount": lines, "devices": rows[offset : offset + FREE_PAGE]})
        for offset in range(0, lines, FREE_PAGE)
    }
    token = simulator._jwt({"exp": 4_000_000_000})

    async def sign_in(request: web.Request) -> web.Response:
        return web.json_response({"token": token})

    async def devices(request: web.Request) -> web.Response:
        return web.Response(body=pages[int(request.query["offset"])], content_type="application/json")

    app = web.Application()
    app.router.add_post("/v1.0/auth/clientToken", sign_in)
    app.router.add_get("/v1.0/devices/{corp}", devices)
    return app


async def serve(kind: str, lines: int) -> None:
    if kind == "free":
        runner = web.AppRunner(free(lines), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
        await asyncio.to_thread(sys.stdin.read)  # until the benchmark is done with us
        return
    kajeet = simulator.Simulator(world.StaticWorld(fleet(lines), [world.Group(key="5001")]))
    async with simulation.serve(kajeet) as url:
        print(url, flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2])))
