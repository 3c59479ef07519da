"""What a request brings and what it gets, as JSON: bodies, answers, and errors as sentences."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from headwater.errors import (
    DataError,
    HeadwaterError,
    NotFoundError,
    RequestError,
    ResourceError,
    SettingError,
    did_you_mean,
)

_STATUS: Final[dict[type[HeadwaterError], int]] = {
    NotFoundError: 404, SettingError: 400, DataError: 400, ResourceError: 507,
}  # fmt: skip
_MOST: Final = 2000
"""Characters of each part of an error: names that are accepted can be many."""


def response(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """JSON that any client can read: without NaN, and with every sign that is not ASCII escaped."""
    body = json.dumps(plain(content), allow_nan=False, separators=(",", ":"))
    return Response(body.encode("ascii"), status, headers, "application/json")


def refusal(error: HeadwaterError) -> Response:
    """An error as people read it on the command line, and its parts for programs."""
    kinds = (number for kind, number in _STATUS.items() if isinstance(error, kind))
    status = error.status if isinstance(error, RequestError) else next(kinds, 500)
    parts = {"what": error.what, "where": error.where, "accepted": error.accepted, "fix": error.fix}
    told = {name: _short(value) for name, value in parts.items() if value is not None}
    if error.got is not None:
        told["got"] = _short(repr(error.got), 200)
    headers = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "1"}}.get(status)
    return response({"error": {"sentence": _short(str(error)), **told}}, status, headers)


def bug() -> Response:
    """The answer where the server is at fault: what happened stands in its log, for those who run it."""
    sentence = "This is a bug in headwater. The log of the server says where: please report it."
    return response({"error": {"sentence": sentence, "what": "This is a bug in headwater"}}, 500)


async def body_of(request: Request) -> dict[str, Any]:
    """The object that the body of a request is.

    Raises:
        RequestError: it is no JSON, or no object.
    """
    content = await request.body()
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as damage:
        raise RequestError(
            "The body is not JSON that can be read", where=request.url.path, got=str(damage),
            accepted="an object in UTF-8", fix="Send it with Content-Type: application/json.",
        ) from damage  # fmt: skip
    if not isinstance(found, dict):
        raise RequestError("The body is not an object", where=request.url.path, got=found, accepted='{"...": ...}')
    return found


def only(body: Mapping[str, Any], schema: Mapping[str, Any], where: str) -> None:
    """Refuses a part of a body that the schema does not have: what is misspelt would be left out without a word.

    Raises:
        RequestError: there is one.
    """
    strange = next((name for name in body if name not in schema["properties"]), None)
    if strange is not None:
        raise RequestError(
            "The body has a part of an unknown name", where=where, got=strange, accepted=schema["properties"],
            fix=did_you_mean(strange, schema["properties"]),
        )  # fmt: skip


def listed(body: Mapping[str, Any], name: str, most: int, where: str) -> list[Any]:
    """The list of rows of a body.

    Raises:
        RequestError: there is none, it is no list, or it is longer than a request may be.
    """
    rows = body.get(name)
    if not isinstance(rows, list):
        raise RequestError(
            f"The body has no list of {name}", where=where, got=sorted(body), accepted=f'{{"{name}": [{{...}}, ...]}}'
        )
    if len(rows) > most:
        raise RequestError(
            "There are too many rows in one request", status=413, where=where, got=len(rows),
            accepted=f"{most} or fewer", fix="Send several requests, or start the server with --rows N.",
        )  # fmt: skip
    return rows


def plain(value: Any) -> Any:
    """A value out of what JSON has: bytes as base64, not-a-number as null, keys as text.

    Example:
        >>> plain({1: (0.5, float("nan")), "a": b"ab"})
        {'1': [0.5, None], 'a': 'YWI='}
    """
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, Mapping):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    return [plain(part) for part in value] if isinstance(value, list | tuple | set) else str(value)


def _short(value: Any, most: int = _MOST) -> Any:
    text = value if isinstance(value, str) else ", ".join(map(str, value))
    return text if len(text) <= most else f"{text[: most - 1]}…"
