"""How the stand-in refuses. The shape is not documented; this is the one that Twilio's own library reads."""

from aiohttp import web
from aiohttp.typedefs import Handler

from collectors import simulation

INVALID = 20001  # a parameter is not right
UNAUTHORIZED = 20003
USAGE_INVALID = 83600
NOT_MIDNIGHT = 83601
NOT_ON_THE_HOUR = 83602
TOO_LONG_BY_SIM = 83603
TOO_LONG = 83604
TOO_OLD = 83605


class Refused(Exception):
    """A request that the vendor would not answer: what it says, its own code, and the status."""

    def __init__(self, message: str, code: int = INVALID, *, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


@web.middleware
async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Refused as refused:
        body = {"code": refused.code, "message": str(refused), "more_info": None, "status": refused.status}
        return simulation.answer(body, status=refused.status)
