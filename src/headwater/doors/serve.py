"""The verb `serve`: an application behind an address."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from headwater import catalog, options
from headwater.doors import console
from headwater.doors.flags import with_flags
from headwater.serving.settings import TOKEN, ServeSettings, refuse_open


@with_flags(ServeSettings, of_model=False)
def serve(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder, as adapt left it.", show_default=False)],
    **settings: Any,
) -> None:
    """Answer requests over HTTP, and show a page for people."""
    from headwater.application import Application

    settings.setdefault("token", os.environ.get(TOKEN) or None)
    given = options.build(ServeSettings, settings, where="headwater serve")
    refuse_open(given)
    run_server = catalog.load("headwater.serving.server:serve", extra="serving")
    application = Application.load(run)
    options.check_fields(given, application.task, catalog.task(application.task).fields)
    what = f"{application.task} by {application.shown_model}"
    run_server(application, given, run, lambda address: console.say(f"{what} at {address}  (Ctrl-C stops it)"))
