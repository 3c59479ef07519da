"""From a run folder to a server that listens, until it is told to stop."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import uvicorn

from headwater.application import Application
from headwater.errors import ResourceError
from headwater.serving.app import make_app
from headwater.serving.settings import ServeSettings, refuse_open

_BACKLOG = 1024
_GRACE = 30
"""Seconds that requests under way have, once the server is told to stop."""


def serve(application: Application, settings: ServeSettings, run: Path, told: Callable[[str], None]) -> None:
    """Answers requests until the process gets SIGTERM or SIGINT; what is under way then comes to its end.

    Args:
        application: a fitted one.
        settings: where to listen, and limits.
        run: its folder.
        told: gets the address once the server listens.

    Raises:
        SettingError: the address is open to others, and there is no token.
        ResourceError: nothing can listen there.
    """
    refuse_open(settings)
    with listening(settings) as door:
        app = make_app(application, settings, run)
        config = uvicorn.Config(
            app, log_config=None, log_level="warning", access_log=False, server_header=False, date_header=False,
            timeout_graceful_shutdown=_GRACE, timeout_keep_alive=30,
        )  # fmt: skip
        host, port = door.getsockname()[:2]
        told(f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}")
        with _stopping_well():
            uvicorn.Server(config).run(sockets=[door])


@contextmanager
def listening(settings: ServeSettings) -> Iterator[socket.socket]:
    """A socket at the address of the settings.

    Raises:
        ResourceError: the address is taken, or not of this machine.
    """
    where = f"{settings.host}:{settings.port}"
    with ExitStack() as stack:
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(
                settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            door = stack.enter_context(socket.socket(family, kind, protocol))
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            door.bind(address)
            # What comes while the model gets ready waits, and is not turned away.
            door.listen(_BACKLOG)
        except OSError as failure:
            raise ResourceError(
                "Nothing can listen here", where=where, got=failure.strerror or str(failure),
                fix="Take another --port, or 0 for a free one.",
            ) from failure  # fmt: skip
        yield door


@contextmanager
def _stopping_well() -> Iterator[None]:
    """SIGTERM ends the process with status 0 once the server has come to its end."""
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
