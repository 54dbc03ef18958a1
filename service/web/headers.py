"""What every response tells the browser: nothing but what we serve may run, load or frame."""

import aiohttp.web

from service.web import sessions

HAS_FORM = aiohttp.web.RequestKey("has_form", bool)  # set by the handler of a page with a form

_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action {forms}; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY.format(forms="'none'"),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Server": "afterbell",  # which versions run is nobody's business
}
_WITH_FORM = {
    "Content-Security-Policy": _POLICY.format(forms="'self'"),
    "Referrer-Policy": "same-origin",  # with no-referrer a browser hides where a form comes from, even from us
}


async def secure(request: aiohttp.web.Request, response: aiohttp.web.StreamResponse) -> None:
    has_form = request.get(HAS_FORM, False)
    response.headers.update(_HEADERS | _WITH_FORM if has_form else _HEADERS)
    visitor = request.get(sessions.VISITOR)
    is_signed_in = visitor is not None and bool(visitor.name)
    # What somebody saw who was signed in is not to be seen after they signed out.
    keep = "private, no-store" if is_signed_in or has_form else "private, no-cache"
    response.headers.setdefault("Cache-Control", keep)
