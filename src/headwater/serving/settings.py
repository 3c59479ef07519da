"""What a server may be told, and where it may be bound."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

from headwater.errors import SettingError
from headwater.options import Between, Of

TOKEN: Final = "HEADWATER_TOKEN"
"""The environment variable that may hold the token."""
_SHORTEST: Final = 16


@dataclass(frozen=True, kw_only=True)
class ServeSettings:
    """Where to listen, who may ask, and how much."""

    section: ClassVar[str] = "Server"

    host: Annotated[str, "The address to listen on. Others than this machine's own need a token."] = "127.0.0.1"
    port: Annotated[int, Between(0, 65535), "The port to listen on; 0 takes a free one."] = 8000
    token: Annotated[
        str | None,
        f"What requests must bring as `Authorization: Bearer TOKEN`. Better in the environment, as {TOKEN}.",
    ] = None
    body_mib: Annotated[float, Between(0.001, 1024), "The MiB that the body of a request may have."] = 16.0
    rows: Annotated[int, Between(1, 100_000), "The rows that a request may have."] = 1000
    waiting: Annotated[int, Between(1, 10_000), "The requests that may wait; more are turned away."] = 64
    patience: Annotated[float, Between(0.1, 3600), "The seconds in which the body of a request has to arrive."] = 30.0
    journal: Annotated[
        str | None, Of("Item"), "The folder of new interactions; RUN with .journal behind it, if not given."
    ] = None
    journal_mib: Annotated[
        float, Between(0.001, 1 << 20), Of("Item"), "The MiB of new interactions that are kept; more are refused."
    ] = 256.0
    index_from: Annotated[
        int, Between(1), Of("Item"), "The number of items from which an approximate index finds the best ones."
    ] = 100_000


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address.

    Example:
        >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("localhost"), is_loopback("0.0.0.0")
        (True, True, True, False)
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def refuse_open(settings: ServeSettings) -> None:
    """Refuses to be reached from elsewhere by whoever likes.

    Raises:
        SettingError: the host is not this machine's own and there is no token, or one that can be guessed.
    """
    if is_loopback(settings.host):
        return
    if settings.token is None:
        raise SettingError(
            "Other machines could ask without a token", where="--host", got=settings.host,
            accepted="127.0.0.1, ::1 or localhost", fix=f"Set the environment variable {TOKEN}.",
        )  # fmt: skip
    if len(settings.token) < _SHORTEST:
        raise SettingError(
            "The token is too short to be safe where other machines can ask", where="--token",
            got=f"{len(settings.token)} characters", accepted=f"{_SHORTEST} or more",
            fix="Make one with: python -c 'import secrets; print(secrets.token_urlsafe())'",
        )  # fmt: skip
