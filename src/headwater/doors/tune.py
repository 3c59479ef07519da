"""The command `headwater tune`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headwater import catalog, options
from headwater.doors import console, outputs
from headwater.doors.asking import require, way_on
from headwater.doors.flags import with_flags
from headwater.request import read_config
from headwater.settings import Settings, TuneSettings

if TYPE_CHECKING:
    from headwater.application import Application

_BESIDE = ("trials", "jobs")


@with_flags(TuneSettings)
def tune(
    task: Annotated[str | None, typer.Argument(metavar="TASK", help="What is asked: see headwater catalog.")] = None,
    data: Annotated[str | None, typer.Argument(metavar="DATA", help="A file, a folder, or hub:owner/name.")] = None,
    *,
    model: Annotated[
        str | None, typer.Option("--model", metavar="MODEL", help="A model as for adapt, or several: lstm,minilm.")
    ] = None,
    to: Annotated[str | None, typer.Option("--to", metavar="FOLDER", help="The run folder to write.")] = None,
    config: Annotated[
        Path | None, typer.Option("--config", metavar="FILE", help="Settings to fix, where they are not the default.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where the stopped search in FOLDER stood.")] = False,
    **settings: Any,
) -> None:
    """Search models, strategies and settings: adapt many times, keep what answers held-out rows best."""
    given = {"task": task, "data": data, "model": model, "to": to}
    values = {
        **(_fixed(read_config(config), model) if config else {}),
        **{name: value for name, value in given.items() if value is not None},
        **settings,
    }
    require(values, verb="tune", resume=resume, beside=_BESIDE)
    folder = values.setdefault("to", outputs.run_folder(values.get("data")))
    try:
        application = _tune(values, resume=resume)
    except KeyboardInterrupt:
        console.notice(f"Stopped.{way_on(folder, 'tune')}")
        raise
    console.show_application(application, folder)
    console.say(f"Search: {folder}/search.html")


def _tune(values: dict[str, Any], *, resume: bool) -> Application:
    from headwater.tuning import tune as search

    if "task" in values:
        return search.tune(**values, resume=resume)
    return search.resume(values["to"], **{name: values[name] for name in _BESIDE if name in values})


def _fixed(values: dict[str, Any], model: str | None) -> dict[str, Any]:
    """What a configuration says that is not the default anyway: a whole file of defaults would leave no search."""
    defaults = options.plain(Settings())
    task, name = values.get("task", catalog.TASKS[0].name), model or values.get("model")
    if name is not None:
        defaults |= options.plain(catalog.model_settings(task, name)())
    return {name: value for name, value in values.items() if name not in defaults or value != defaults[name]}
