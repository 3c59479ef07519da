"""The flow: data and a foundation in, an application out, in one readable function."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headwater import __version__, catalog, options, workspace
from headwater.errors import DataError, HeadwaterError, SettingError, unknown
from headwater.foundation.locate import locate
from headwater.request import Request, comparison_command, ranking_command, ranking_request
from headwater.run import Run, is_main_process, scratch
from headwater.settings import CompareSettings, Settings

if TYPE_CHECKING:
    from headwater.application import Application, Ready
    from headwater.comparison.comparison import Comparison
    from headwater.ranking.ranking import Ranking
    from headwater.transfer.classification import Classification

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
        settings: names of `headwater.settings.Settings`, or of the model's own settings. Demonstrations may be rows in
            memory as well.

    Returns:
        The fitted application, with its report on held-out rows.

    Raises:
        HeadwaterError: what is wrong with the request, the data, the model or the machine, and what to do.
    """
    request = workspace.absolute(Request.of(task, data, model, settings))
    if to is not None and resume:
        workspace.refuse_search(Path(to))
    entry = catalog.task(task)
    _refuse_unknown_model(request)
    request.refuse_forgotten()
    with opened(request, data, to, resume=resume) as run:
        application: Application = catalog.load(entry.path, extra=entry.extra)(
            request.model, request.settings, **request.model_settings
        )
        application.held = request.held
        prepared = application.prepare(data)
        log.info("%s\n", prepared)
        application.fit(prepared, run=run)
        report = application.evaluate(prepared.test)
        application.report = replace(report, **story(application, prepared, run, request))
        application.config = workspace.configuration(request)
        if to is not None and is_main_process():
            workspace.finish(application, Path(to), prepared.set_aside)
    return application


def resume(folder: str | Path, **given: Any) -> Application:
    """Goes on with an unfinished run from its own configuration.

    Args:
        folder: the folder of the run.
        given: arguments and settings of `adapt` that are told again; they have to be those that the run began with.

    Raises:
        NotFoundError: the folder holds no unfinished run.
        SettingError: something given is not what the run began with.
        DataError: the data is not what the run began with, or was in memory only.
    """
    request = workspace.unfinished(Path(folder))
    own: dict[str, Any] = {"task": request.task, "data": request.data, "model": request.model, **request.changed()}
    asked: dict[str, Any] = {**own, **given}
    if asked["data"] is None:
        raise DataError(
            "This run was given its data in memory, which does not outlast a process",
            where=str(folder),
            fix="Call headwater.adapt again with the same data and settings, this folder, and resume=True.",
        )
    return adapt(**asked, to=folder, resume=True)


def compare(
    source: Any,
    target: Any = None,
    /,
    *,
    model: str | None = None,
    task: str = "text-classification",
    to: str | Path | None = None,
    **settings: Any,
) -> Comparison:
    """Measures how far apart two data sets are in the eyes of a model, and says in which words and numbers they differ.

    Args:
        source: the data that is known: a file, a folder, `hub:owner/name`, or rows in memory; labels are optional.
        target: the data of your question. Without it `source` is looked at alone: how well the model's reading fits it,
            and what is written down of the data behind the model; no distance is guessed.
        model: whose features to look at: any that `adapt` takes; the task's default if not given.
        task: a name of `headwater catalog`.
        to: a folder for comparison.json and comparison.html.
        settings: names of `headwater.settings.CompareSettings`; there `target` is the label column, as everywhere.

    Raises:
        HeadwaterError: what is wrong with the request, the data, the model or the machine, and what to do.
    """
    from headwater.comparison import comparing

    started = time.monotonic()
    entry = catalog.task(task)
    asked = options.build(CompareSettings, settings)
    options.check_fields(asked, entry.name, entry.fields)
    shared = {name: value for name, value in options.plain(asked).items() if name != "rows"}
    if target is not None:
        _refuse_same_file(source, target)
    application: Application = catalog.load(entry.path, extra=entry.extra)(model, options.build(Settings, shared))
    known = application.gather(source)
    if target is None:
        found = comparing.look(application, known, rows=asked.rows, seed=asked.seed)
    else:
        found = comparing.compare(application, known, application.gather(target), rows=asked.rows, seed=asked.seed)
    data = {"source": source, "target": target} if target is not None else {"target": source}
    found.provenance = {
        "command": comparison_command(task, data, str(application.model_name), asked),
        "hashes": {name: workspace.hasher(task)(one, offline=asked.offline) for name, one in data.items()},
        "seed": asked.seed,
        **_circumstances(started),
    }
    if to is not None:
        found.save(to)
    return found


def rank(
    data: Any,
    *,
    models: str | Sequence[str] | None = None,
    task: str = "text-classification",
    rows: int = 1000,
    to: str | Path | None = None,
    **settings: Any,
) -> Ranking:
    """Says which models fit the data, before any of them is adapted to it.

    Args:
        data: a file, a folder, `hub:owner/name`, or rows in memory.
        models: what `adapt` takes as `model`, several of them. Without any, every embedded foundation and every text
            encoder in the hub's cache on this machine. The task's linear baseline always stands beside them.
        task: a name of `headwater catalog`.
        rows: how many of the labelled rows are looked at.
        to: the folder for ranking.json and ranking.html. What a stopped run left in it is not computed again.
        settings: names of `headwater.settings.ViewSettings`.

    Returns:
        The ranking; printed, it is a table with its verdict.

    Raises:
        HeadwaterError: what is wrong with the request or the data; NotFoundError where none of the models can be had.
    """
    from headwater.ranking import shortlist

    began, entry = time.monotonic(), catalog.task(task)
    asked = ranking_request(entry.name, data, rows, settings)
    names = shortlist.names_of(models) or shortlist.default_models(entry.name)
    application: Classification = catalog.load(entry.path, extra=entry.extra)(None, asked.settings)
    with workspace.ranking_folder(to, asked.settings) as run:
        found = shortlist.compare_models(application, data, names, rows, run)
        found = replace(found, provenance={
            "command": ranking_command(asked, shortlist.names_of(models), rows),
            "data": asked.data,
            "seed": asked.settings.seed,
            "seconds": round(time.monotonic() - began, 1),
            "machine": workspace.machine(),
            "versions": workspace.versions(),
            "headwater": __version__,
        })  # fmt: skip
        if to is not None:
            found.save(to)
    return found


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


def story(application: Application, prepared: Ready, run: Run, request: Request) -> dict[str, Any]:
    """The sections of the report that tell how the application came to be."""
    return {
        "rows": {"train": len(prepared.train), "valid": len(prepared.valid), "test": len(prepared.test)},
        "stages": [vars(stage) for stage in application.trace.stages],
        "curve": application.trace.curve,
        "augmentation": application.trace.augmentation,
        **prepared.findings,
        **application.story(),
        "provenance": {
            "command": request.command(),
            "data": request.data,
            "hashes": run.recall(workspace.HASHES) or {},
            "seed": request.settings.seed,
            **_circumstances(run.started),
        },
    }


def _refuse_unknown_model(request: Request) -> None:
    """Looks for the model before anything is read: data may be large, and a name is soon mistyped."""
    if request.model in {model.name for model in catalog.models(request.task)}:
        return
    if catalog.task(request.task).foundation is None:
        raise unknown("model", request.model, catalog.model_names(request.task), where=request.task)
    locate(request.model, offline=request.settings.offline, trust_remote_code=request.settings.trust_remote_code)


def _circumstances(started: float) -> dict[str, Any]:
    return {
        "seconds": round(time.monotonic() - started, 1),
        "machine": workspace.machine(),
        "versions": workspace.versions(),
        "headwater": __version__,
    }


def _refuse_same_file(source: Any, target: Any) -> None:
    if not isinstance(source, str | Path) or not isinstance(target, str | Path):
        return
    try:
        same = os.path.samefile(source, target)
    except (OSError, ValueError):  # one is no file: reading it will say so
        return
    if same:
        raise SettingError(
            "The source and the target are one file", where="compare", got=str(target),
            fix="Give two data sets, or one alone to see what can be known of it.",
        )  # fmt: skip
