"""The flow: data and a foundation in, an application out, in one readable function."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headwater import __version__, catalog, workspace
from headwater.errors import DataError, HeadwaterError
from headwater.request import Request
from headwater.run import Run, is_main_process, scratch

if TYPE_CHECKING:
    from headwater.application import Application
    from headwater.data.preparing import Prepared

log = logging.getLogger("headwater")


def adapt(
    task: str,
    data: Any,
    *,
    model: str | None = None,
    to: str | Path | None = None,
    resume: bool = False,
    **settings: Any,
) -> Application:
    """Makes an application of a model and the user's own data.

    Args:
        task: a name of `headwater catalog`.
        data: a file, a folder, `hub:owner/name`, or rows in memory (pandas, polars, Arrow, lists, dicts).
        model: a basic model, an embedded foundation, a hub id, a folder in hub format, or a run folder.
        to: the run folder to write; without one the application stays in memory until `save`.
        resume: go on with the unfinished run in `to`.
        settings: names of `headwater.settings.Settings`, or of the model's own settings.

    Returns:
        The fitted application, with its report on held-out rows.

    Raises:
        HeadwaterError: what is wrong with the request, the data, the model or the machine, and what to do.
    """
    request = workspace.absolute(Request.of(task, data, model, settings))
    if to is not None and resume:
        workspace.refuse_search(Path(to))
    with opened(request, data, to, resume=resume) as run:
        entry = catalog.task(task)
        application: Application = catalog.load(entry.path, extra=entry.extra)(
            request.model, request.settings, **request.model_settings
        )
        prepared = application.prepare(data)
        log.info("%s\n", prepared)
        application.fit(prepared, run=run)
        report = application.evaluate(prepared.test)
        application.report = replace(report, **story(application, prepared, run, request))
        application.config = workspace.configuration(request)
        if to is not None and is_main_process():
            workspace.finish(application, Path(to), prepared.problems)
    return application


def resume(folder: str | Path) -> Application:
    """Goes on with an unfinished run from its own configuration.

    Raises:
        NotFoundError: the folder holds no unfinished run.
        DataError: the data is not what the run began with, or was in memory only.
    """
    request = workspace.unfinished(Path(folder))
    if request.data is None:
        raise DataError(
            "This run was given its data in memory, which does not outlast a process",
            where=str(folder),
            fix="Call headwater.adapt again with the same data and settings, this folder, and resume=True.",
        )
    return adapt(
        request.task, request.data, model=request.model, to=folder, resume=True,
        **request.changed(),
    )  # fmt: skip


@contextlib.contextmanager
def opened(request: Request, data: Any, to: str | Path | None, *, resume: bool) -> Iterator[Run]:
    """A run in a folder, new or resumed, or without one in a place that is gone afterwards.

    Raises:
        HeadwaterError: as `workspace.start` does.
    """
    if to is None:
        with scratch(request.settings) as run:
            if run.main:
                run.note(workspace.HASHES, workspace.hashes_of(request, data))
            yield run
        return
    run = workspace.start(request, data, Path(to), resume=resume)
    try:
        yield run
    except HeadwaterError:
        if not resume and is_main_process():
            workspace.clear_unbegun(Path(to))
        raise


def story(application: Application, prepared: Prepared, run: Run, request: Request) -> dict[str, Any]:
    """The sections of the report that tell how the application came to be."""
    return {
        "rows": {"train": len(prepared.train), "valid": len(prepared.valid), "test": len(prepared.test)},
        "stages": [vars(stage) for stage in application.trace.stages],
        "curve": application.trace.curve,
        **prepared.findings,
        "provenance": {
            "command": request.command(),
            "data": request.data,
            "hashes": run.recall(workspace.HASHES) or {},
            "seed": request.settings.seed,
            "seconds": round(time.monotonic() - run.started, 1),
            "machine": workspace.machine(),
            "versions": workspace.versions(),
            "headwater": __version__,
        },
    }
