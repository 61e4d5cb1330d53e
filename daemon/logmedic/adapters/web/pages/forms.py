"""Forms as browsers send them: read within bounds."""

from __future__ import annotations

from urllib.parse import parse_qs

from starlette.requests import ClientDisconnect, Request

from logmedic.adapters.web.parameters import BadRequest

BODY_BYTES, FIELDS = 64 * 1024, 40
_AGAIN = "open the page again, and send its form"


async def read(request: Request) -> dict[str, str]:
    """The first value of each field, without blanks around it. Raises BadRequest."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise BadRequest("this is no form", _AGAIN)
    content = bytearray()
    try:
        async for chunk in request.stream():
            content += chunk
            if len(content) > BODY_BYTES:
                raise BadRequest(f"the form is larger than {BODY_BYTES} bytes", "write less")
    except ClientDisconnect:
        raise BadRequest("the form did not come to its end", _AGAIN) from None
    try:
        found = parse_qs(content.decode(), keep_blank_values=True, max_num_fields=FIELDS, errors="strict")
    except ValueError:
        raise BadRequest("this form cannot be read", _AGAIN) from None
    return {name: values[0].strip() for name, values in found.items()}
