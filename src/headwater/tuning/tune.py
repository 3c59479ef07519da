"""The verb `tune`: data and open questions in; the best application of a search out, with the search on a page."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from headwater import artifact, catalog, flow, workspace
from headwater.application import Application, Stage, Trace
from headwater.errors import DataError, HeadwaterError, NotFoundError, SettingError
from headwater.evaluation.sections import plain
from headwater.run import write_whole
from headwater.tuning import crew, page, study
from headwater.tuning.asked import Asked
from headwater.tuning.findings import Findings
from headwater.tuning.loop import JOURNAL, Loop

log = logging.getLogger("headwater")
SEARCH, PAGE = "search.json", "search.html"


def tune(
    task: str,
    data: Any,
    *,
    model: str | Sequence[str] | None = None,
    to: str | Path | None = None,
    resume: bool = False,
    **settings: Any,
) -> Application:
    """Searches models, strategies and settings for the application that answers the validation rows best.

    All trials learn from the same rows and are scored on the same validation rows. The first one is what `adapt`
    makes of the same request, so that the winner is never worse there. The test rows are seen once, at the end.

    Args:
        task: a name of `headwater catalog`.
        data: a file, a folder, `hub:owner/name`, or rows in memory.
        model: one or several models, as for `adapt`; several as a list, or divided by commas.
        to: the run folder to write; without one the application stays in memory, and the search has no page.
        resume: go on with the unfinished search in `to`; `trials` and `jobs` may be others than it began with.
        settings: names of `headwater.settings.TuneSettings`, or of the models' own settings. What is given here is
            fixed; `budget` is the time of all trials together; `search` may be a mapping as well as a file.

    Returns:
        The winner, with its report on the test rows.

    Raises:
        HeadwaterError: what is wrong with the request, the data, the model or the machine, and what to do.
        ExtraError: Optuna is not installed.
    """
    asked = Asked.of(task, data, model, settings)
    _refuse_launched()
    if asked.jobs > 1 and (asked.request.data is None or asked.request.held):
        raise SettingError(
            "Rows in memory cannot be handed to other processes", where="jobs", got=asked.jobs,
            fix="Write the rows to a file, or leave jobs at 1.",
        )  # fmt: skip
    asked.request.refuse_forgotten()
    if to is not None and resume:
        asked = _same_search(asked, Path(to))
    with flow.opened(asked.request, data, to, resume=resume) as run:
        run.note(workspace.SEARCH, asked.to_json())
        prepared = _application(asked).prepare(data)
        log.info("%s\n", prepared)
        if resume:
            study.mend(run.folder / JOURNAL)
        loop = Loop(asked, prepared, run)
        return _finished(loop, _search(loop), None if to is None else Path(to))


def resume(folder: str | Path, **changes: Any) -> Application:
    """Goes on with an unfinished search from what it noted of itself.

    Args:
        folder: its run folder.
        changes: `trials` and `jobs`, where they are to be others from here on.

    Raises:
        NotFoundError: the folder holds no unfinished search.
        DataError: the data is not what the search began with, or was in memory only.
    """
    asked = _begun(Path(folder))
    if asked.request.data is None:
        raise DataError(
            "The rows of this search were in memory, and are gone with its process", where=str(folder),
            fix="Call headwater.tune again with the same data and settings, this folder, and resume=True.",
        )  # fmt: skip
    values = asked.to_json()
    how = {"trials": values["trials"], "jobs": values["jobs"], "search": values["ranges"], **changes}
    return tune(
        values["task"], values["data"], model=values["models"], to=folder, resume=True, **values["fixed"], **how
    )


def _search(loop: Loop) -> Findings:
    """Runs the trials; the findings say nothing of the test rows yet.

    Raises:
        SettingError: every trial failed.
    """
    loop.start()
    try:
        for outcome in crew.work(loop) if loop.asked.jobs > 1 else loop():
            log.info("%s", outcome.told(best=outcome == loop.trials.best()))
    except HeadwaterError:
        loop.forget_unbegun()
        raise
    outcomes, best, why = loop.trials.outcomes(), loop.trials.best(), loop.why_stop()
    if best is None:
        raise SettingError(
            "No trial of the search came to its end", where="headwater tune",
            got=outcomes[0].reason if outcomes else why,
            fix="Mend that, or leave more settings open, and search again in another folder.",
        )  # fmt: skip
    stopped = why or "every point that was drawn had been tried before"
    log.info("\nThe search ended: %s. Trial %d is the best.", stopped, best.number)
    prepared = loop.prepared
    rows = {"train": len(prepared.train), "valid": len(prepared.valid), "test": len(prepared.test)}
    return Findings(loop.asked, outcomes, best, stopped, rows)


def _finished(loop: Loop, findings: Findings, to: Path | None) -> Application:
    """The winner with its report; saved with the page of the search where there is a run folder."""
    best, test = findings.best, loop.prepared.test
    application = Application.load(loop.trials.application(best.number))
    application.trace = Trace([Stage(**stage) for stage in best.stages], list(best.curve))
    if findings.defaults is not None and not best.defaults:
        with_defaults = Application.load(loop.trials.application(findings.defaults.number))
        findings = replace(findings, on_test=(application.marks(test).right, with_defaults.marks(test).right))
    request = loop.asked.space.request(best.point)
    report = application.evaluate(test)
    story = flow.story(application, loop.prepared, loop.run, request) | dict(best.story)
    story["provenance"]["search"] = findings.asked.command()
    found = findings.to_json()
    summary = {name: found[name] for name in ("stopped", "best", "gains")} | {"trials": len(findings.outcomes)}
    notes = [*report.notes, *findings.notes]
    application.report = replace(report, **story, notes=notes, search={**summary, "page": PAGE if to else None})
    application.config = workspace.configuration(request)
    if to is not None:
        write_whole(to / SEARCH, json.dumps(plain(found), ensure_ascii=False, indent=1).encode())
        write_whole(to / PAGE, page.page(plain(found), request.command()).encode())
        workspace.finish(application, to, loop.prepared.set_aside)
    return application


def _application(asked: Asked) -> Application:
    """An application of the first model, which reads and divides the rows for all of them."""
    entry = catalog.task(asked.request.task)
    found: Application = catalog.load(entry.path, extra=entry.extra)(asked.request.model, asked.request.settings)
    found.held = asked.request.held
    return found


def _refuse_launched() -> None:
    if os.environ.get("WORLD_SIZE", "1") not in ("", "0", "1"):
        raise SettingError(
            "A search is not launched in several processes", where="headwater tune",
            got=f"WORLD_SIZE={os.environ['WORLD_SIZE']}", fix="Start it once, and let it start others with --jobs.",
        )  # fmt: skip


def _begun(folder: Path) -> Asked:
    """What the unfinished search in a folder was asked to do."""
    note = folder / artifact.WORK / f"{workspace.SEARCH}.json"
    if (folder / artifact.MANIFEST).exists() or not note.exists():
        raise NotFoundError(
            "There is no unfinished search here", where=str(folder), fix="Start one without --resume.",
        )  # fmt: skip
    return Asked.from_json(json.loads(note.read_text("utf-8")))


def _same_search(asked: Asked, folder: Path) -> Asked:
    """The search as it is asked for now, if it is the one in the folder; its ranges are known by where they came from.

    Raises:
        NotFoundError: there is no search to go on with.
        SettingError: the one there is another.
    """
    begun = _begun(folder)
    here, there = asked.to_json(), begun.to_json()
    free = ("trials", "jobs", "source")
    if differing := [name for name in here if name not in free and here[name] != there[name]]:
        raise SettingError(
            "A search goes on with what it began with, but these differ", where=str(folder),
            got={name: here[name] for name in differing}, accepted=str({name: there[name] for name in differing}),
            fix="Resume with --resume and --to alone, or start a new search in another folder.",
        )  # fmt: skip
    return replace(asked, source=begun.source)
