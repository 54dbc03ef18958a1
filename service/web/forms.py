"""What a form of ours sends: text, in the one encoding that our pages use."""

from collections.abc import Mapping

import aiohttp.web

_ENCODED = "application/x-www-form-urlencoded"


async def sent(request: aiohttp.web.Request) -> Mapping[str, str]:
    """The fields of a form; none where it is encoded in another way. Raises HTTPBadRequest for what is no text."""
    if request.content_type != _ENCODED:
        return {}
    try:
        fields = await request.post()
    except (
        LookupError,
        ValueError,
    ) as error:  # of an encoding that nobody knows, or not of the one that it names
        raise aiohttp.web.HTTPBadRequest(text="This form cannot be read: it is not in UTF-8.\n") from error
    return {name: value for name, value in fields.items() if isinstance(value, str)}
