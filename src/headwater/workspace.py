"""The run folder while a run is on: opened, resumed, finished, told apart from what is not a run folder."""

from __future__ import annotations

import contextlib
import importlib.metadata
import logging
import os
import platform
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headwater import artifact, catalog, options
from headwater.data import quarantine, reading
from headwater.errors import ArtifactError, DataError, HeadwaterError, NotFoundError, ResourceError, SettingError
from headwater.request import Request
from headwater.run import Run, is_main_process, scratch, write_whole

if TYPE_CHECKING:
    from headwater.application import Application
    from headwater.data.records import Problem
    from headwater.settings import Settings

log = logging.getLogger("headwater")
CONFIG, WORK = artifact.CONFIG, artifact.WORK
LOGS, HASHES, SPENT = "logs", "hashes", "spent"
_OF_RANKING = {WORK, "ranking.json", "ranking.html"}
SEARCH = artifact.SEARCH
"""The note of what a search was asked to do."""
_ROWS = ("valid", "test", "source", "unlabelled", "items", "users", "journal", "demonstrations")
_PATHS = (*_ROWS, "augment_model")
_LIBRARIES = ("numpy", "scikit-learn", "pyarrow", "torch", "transformers", "accelerate", "peft", "gymnasium")


def start(request: Request, data: Any, folder: Path, *, resume: bool) -> Run:
    """A run whose work lies in the folder, new or, with `resume`, where the last attempt stood.

    Raises:
        ArtifactError: the folder holds a finished application, an unfinished run, or something else.
        NotFoundError: there is no unfinished run to resume.
        SettingError: a resumed run is given other settings than it began with.
        DataError: the same of its data.
        ResourceError: the folder cannot be written.
    """
    run = Run(request.settings, folder / WORK)
    if resume:
        _same_request(request, folder)
        _same_data(run, hashes_of(request, data), folder)
        log.info("Run folder: %s", folder)
        return replace(run, started=run.started - _spent(run))
    if is_main_process():
        _refuse_occupied(folder)
        hashes = hashes_of(request, data)
        try:
            run.folder.mkdir(parents=True, exist_ok=True)
            write_whole(folder / CONFIG, configuration(request).encode())
            run.note(HASHES, hashes)
        except OSError as failure:
            raise ResourceError(
                "The run folder cannot be written",
                where=str(folder),
                got=str(failure),
                fix="Choose another folder with --to.",
            ) from failure
        log.info("Run folder: %s", folder)
    return run


@contextlib.contextmanager
def ranking_folder(folder: str | Path | None, settings: Settings) -> Iterator[Run]:
    """A run for a ranking: in a folder, where what a stopped one computed is found again, or leaving nothing behind.

    Raises:
        ArtifactError: the folder holds files that are not of a ranking.
        ResourceError: the folder cannot be written.
    """
    if folder is None:
        with scratch(settings) as run:
            yield run
        return
    place = Path(folder)
    if place.exists() and (not place.is_dir() or not {path.name for path in place.iterdir()} <= _OF_RANKING):
        raise ArtifactError(
            "This is no folder for a ranking: it holds other files, or is one", where=str(place),
            accepted="a new or empty folder, or one of an earlier ranking", fix="Choose another with --to.",
        )  # fmt: skip
    try:
        (place / WORK).mkdir(parents=True, exist_ok=True)
    except OSError as failure:
        raise ResourceError(
            "The folder of the ranking cannot be written", where=str(place), got=failure.strerror,
            fix="Choose another folder with --to.",
        ) from failure  # fmt: skip
    try:
        yield Run(settings, place / WORK)
    except HeadwaterError:
        with contextlib.suppress(OSError):  # there is something to go on with
            (place / WORK).rmdir()
            place.rmdir()
        raise
    shutil.rmtree(place / WORK, ignore_errors=True)


def absolute(request: Request) -> Request:
    """The request with its paths made whole, so that it can be repeated from any place."""
    own = {name: _whole(getattr(request.settings, name)) for name in _PATHS}
    translators = request.settings.augment_translators
    own["augment_translators"] = translators and tuple(map(_whole, translators))
    return replace(
        request,
        data=_whole(request.data) if catalog.task(request.task).hashes is None else request.data,
        model=_whole(request.model) if request.model not in catalog.model_names(request.task) else request.model,
        settings=replace(request.settings, **own),
    )


def unfinished(folder: Path) -> Request:
    """The request of the unfinished run in a folder.

    Raises:
        NotFoundError: there is none; a finished one has nothing to resume.
        SettingError, DataError: its configuration was changed into one that no run takes.
    """
    if (folder / artifact.MANIFEST).exists():
        raise NotFoundError(
            "This run is finished", where=str(folder), fix="Nothing is left to resume; predict with it."
        )
    if not (folder / CONFIG).exists():
        raise NotFoundError("There is no unfinished run here", where=str(folder), fix="Start one without --resume.")
    return Request.from_yaml(folder / CONFIG)


def finish(application: Application, folder: Path, problems: list[Problem]) -> None:
    """Saves the application and the rows set aside, and clears the work away but for its logs."""
    quarantine.write_quarantine(problems, folder / "quarantine.jsonl")
    application.save(folder)
    for logs in sorted((folder / WORK).rglob(LOGS)):
        target = folder / LOGS / logs.parent.relative_to(folder / WORK)
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(logs, target)
    shutil.rmtree(folder / WORK, ignore_errors=True)


def clear_unbegun(folder: Path) -> None:
    """Takes away what `start` made, unless there is work to go on with: the mended command may use it."""
    notes = [folder / WORK / f"{name}.json" for name in (HASHES, SEARCH)]
    if any(file not in notes for file in (folder / WORK).rglob("*") if file.is_file()):
        return
    shutil.rmtree(folder / WORK, ignore_errors=True)
    (folder / CONFIG).unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # the user's own files are in it
        folder.rmdir()


def is_unfinished(folder: Path) -> bool:
    """Whether there is a run in the folder to go on with."""
    return (folder / CONFIG).exists() and not (folder / artifact.MANIFEST).exists()


def refuse_search(folder: Path) -> None:
    """Raises NotFoundError where the unfinished run in a folder is a search, which `adapt` cannot go on with."""
    if artifact.is_search(folder):
        raise NotFoundError(
            "The unfinished run here is a search", where=str(folder),
            fix=f"Go on with: headwater tune --resume --to {folder}",
        )  # fmt: skip


def configuration(request: Request) -> str:
    """The request as config.yaml; its head says how to make the application again, wherever the file then lies."""
    if request.data is None:
        again = ("The data came from memory. To make this application again, write the same rows to a file:",
                 f"headwater adapt {request.task} DATA --config THIS_FILE --to FOLDER")  # fmt: skip
    else:
        again = "To make this application again:", "headwater adapt --config THIS_FILE --to FOLDER"
    return request.to_yaml(head=again)


def versions() -> dict[str, str]:
    """The versions of Python and of the libraries that results depend on."""
    found = {"python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def machine() -> str:
    """The machine in words.

    Example:
        >>> machine().endswith("cores")
        True
    """
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"


def _refuse_occupied(folder: Path) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise ArtifactError("The run folder is a file", where=str(folder), fix="Choose another name with --to.")
    if (folder / artifact.MANIFEST).exists():
        raise ArtifactError(
            "This folder already holds an application",
            where=str(folder),
            fix="Choose another with --to, or remove it first.",
        )
    if (folder / CONFIG).exists():
        raise ArtifactError(
            "This folder holds an unfinished run",
            where=str(folder),
            fix="Go on with --resume, or remove the folder first.",
        )
    if os.listdir(folder):
        raise ArtifactError(
            "This folder is not empty and is no run folder",
            where=str(folder),
            fix="Choose an empty or new one with --to.",
        )


def _spent(run: Run) -> float:
    """The seconds that earlier attempts worked, from their first file to their last; they count against the budget."""
    earlier = (run.recall(SPENT) or {"seconds": 0.0})["seconds"]
    first = next((file for name in (SPENT, HASHES) if (file := run.folder / f"{name}.json").exists()), None)
    if first is None:
        return earlier
    began = first.stat().st_mtime
    seconds = earlier + max(file.stat().st_mtime for file in run.folder.rglob("*") if file.is_file()) - began
    run.note(SPENT, {"seconds": seconds})
    return seconds


def _same_request(asked: Request, folder: Path) -> None:
    begun = unfinished(folder)
    if asked == begun:
        return
    here, there = (
        {"task": one.task, "data": one.data, "model": one.model, **options.plain(one.settings), **one.model_settings}
        for one in (asked, begun)
    )
    names = [name for name in here | there if here.get(name) != there.get(name)]
    raise SettingError(
        "A run goes on with what it began with, but these differ",
        where=str(folder),
        got={name: here.get(name) for name in names},
        accepted=str({name: there.get(name) for name in names}),
        fix="Resume with --resume and --to alone, or start a new run in another folder.",
    )


def _same_data(run: Run, hashes: dict[str, str], folder: Path) -> None:
    begun = run.recall(HASHES)
    changed = [name for name, digest in hashes.items() if begun is not None and begun.get(name) != digest]
    if changed:
        raise DataError(
            "The data is not what this run began with",
            where=str(folder),
            got=changed,
            fix="Restore the data, or start a new run.",
        )


def hashes_of(request: Request, data: Any) -> dict[str, str]:
    """The hash of the data and of every other set of rows that the settings name."""
    settings = request.settings
    named = {"data": data, **{name: getattr(settings, name) for name in _ROWS}, **request.held}
    own = {"data": hasher(request.task)}
    return {
        name: own.get(name, reading.hash_of)(source, offline=settings.offline)
        for name, source in named.items()
        if source is not None
    }


def hasher(task: str) -> Callable[..., str]:
    """What tells one data of a task from another."""
    entry = catalog.task(task)
    return reading.hash_of if entry.hashes is None else catalog.load(entry.hashes, extra=entry.extra)


def _whole(path: Any) -> Any:
    try:
        return str(Path(path).expanduser().resolve()) if path is not None and Path(path).exists() else path
    except OSError:  # too long a name: no path, as reading will say
        return path
