"""Listens: starts an application on an address and stops it again."""

import contextlib
import errno
from collections.abc import AsyncIterator

import aiohttp.web

from service import errors

SHUTDOWN_SECONDS = 5.0  # for requests under way; pages take milliseconds


@contextlib.asynccontextmanager
async def serving(application: aiohttp.web.Application, *, host: str, port: int) -> AsyncIterator[int]:
    """Serve while inside; gives the port, which is a free one when 0 was asked for."""
    runner = aiohttp.web.AppRunner(application, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        yield await _listen(runner, host, port)
    finally:
        await runner.cleanup()


async def _listen(runner: aiohttp.web.AppRunner, host: str, port: int) -> int:
    try:
        await aiohttp.web.TCPSite(runner, host, port).start()
    except OSError as error:
        raise errors.AfterbellError(_advice(error, host, port)) from error
    bound: int = runner.addresses[0][1]
    return bound


def _advice(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {port} on {host} is taken: afterbell may be running already. "
            "Stop what listens there, or set web.port to another port."
        )
    if error.errno == errno.EACCES:
        return f"port {port} on {host} is not ours to open: set web.port to one above 1023"
    return f"cannot listen on {host} port {port}: {error.strerror}. Check web.host and web.port."
