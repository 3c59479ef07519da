"""Who may ask, and how much: checked before anything of a request is read."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final
from urllib.parse import urlsplit

from headwater.errors import RequestError
from headwater.serving.answers import refusal
from headwater.serving.settings import ServeSettings, is_loopback

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

OPEN: Final = ("/", "/health")
"""Routes without a token and without a queue: they tell nothing of the application, and cost nothing."""
_DIGITS: Final = 18
"""Of a length that is worth reading: Python reads no number of thousands of them."""
_SAFE: Final = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
]


class Guard:
    """Stands before an application: the token, the origin, how long a body is, and how many wait.

    Attributes:
        waiting: the requests that are in the house, those of `OPEN` left out, which are answered at once.
    """

    def __init__(self, app: App, settings: ServeSettings) -> None:
        self.app, self.settings, self.waiting = app, settings, 0
        self._token = None if settings.token is None else f"Bearer {settings.token}".encode()
        self._own = is_loopback(settings.host)
        self._most = int(settings.body_mib * 2**20)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *_SAFE]
            await send(message)

        try:
            self._admit(scope)
            await self._pass(scope, receive, send_safely)
        except RequestError as mistake:
            await refusal(mistake)(scope, receive, send_safely)

    def _admit(self, scope: MutableMapping[str, Any]) -> None:
        """Raises RequestError where a request is none of a client that may ask."""
        headers, path = dict(scope["headers"]), scope["path"]
        host = headers.get(b"host", b"").decode("latin-1")
        # A page of elsewhere can have a browser send requests here, under a name of its own that leads to this machine.
        if self._own and not is_loopback(_name_in(host)):
            raise RequestError("This server is for its own machine alone", status=403, where="Host", got=host)
        origin = headers.get(b"origin")
        if origin is not None and origin.decode("latin-1").partition("://")[2] != host:
            raise RequestError(
                "Pages of another origin may not ask", status=403, where="Origin", got=origin.decode("latin-1")
            )
        given = headers.get(b"authorization", b"")
        if self._token is not None and path not in OPEN and not hmac.compare_digest(given, self._token):
            raise RequestError(
                "The token is missing or wrong", status=401, where=path, accepted="Authorization: Bearer TOKEN"
            )

    async def _pass(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        brings_none = scope["method"] in ("GET", "HEAD")
        if brings_none and scope["path"] in OPEN:
            await self.app(scope, receive, send)
            return
        if self.waiting >= self.settings.waiting:
            raise RequestError(
                "Too many requests wait already", status=503, where=scope["path"], got=self.waiting,
                fix="Ask again in a moment, or start the server with --waiting N.",
            )  # fmt: skip
        self.waiting += 1
        try:
            given = receive if brings_none else _replay(await self._body(scope, receive), receive)
            await self.app(scope, given, send)
        finally:
            self.waiting -= 1

    async def _body(self, scope: MutableMapping[str, Any], receive: Receive) -> bytes:
        told = dict(scope["headers"]).get(b"content-length", b"0")
        if told.isdigit() and (len(told) > _DIGITS or int(told) > self._most):
            raise self._too_large(scope)
        try:
            async with asyncio.timeout(self.settings.patience):
                return await self._read(scope, receive)
        except TimeoutError as late:
            raise RequestError(
                "The body of the request did not arrive in time", status=408, where=scope["path"],
                accepted=f"{self.settings.patience:g} seconds",
            ) from late  # fmt: skip

    async def _read(self, scope: MutableMapping[str, Any], receive: Receive) -> bytes:
        parts, length = [], 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise RequestError("The client left before its request was whole", status=400, where=scope["path"])
            parts.append(message.get("body", b""))
            length += len(parts[-1])
            if length > self._most:
                raise self._too_large(scope)
            if not message.get("more_body"):
                return b"".join(parts)

    def _too_large(self, scope: MutableMapping[str, Any]) -> RequestError:
        return RequestError(
            "The body of the request is too large", status=413, where=scope["path"],
            accepted=f"{self.settings.body_mib:g} MiB or less",
            fix="Send fewer rows at once, or start the server with --body-mib N.",
        )  # fmt: skip


def _name_in(host: str) -> str:
    """The name in a header `Host`; empty where there is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _replay(body: bytes, receive: Receive) -> Receive:
    """Gives a body that was read already, then what comes behind it."""
    given = False

    async def replayed() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed
