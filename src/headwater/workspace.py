"""The run folder while a run is on: opened, resumed, finished, told apart from what is not a run folder."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headwater import artifact, options
from headwater.data import quarantine, reading
from headwater.errors import ArtifactError, DataError, NotFoundError, ResourceError
from headwater.request import Request
from headwater.run import Run, is_main_process, write_whole
from headwater.settings import Settings

if TYPE_CHECKING:
    from headwater.application import Application
    from headwater.data.records import Problem

CONFIG, WORK, LOGS = "config.yaml", "work", "logs"
_LIBRARIES = ("numpy", "scikit-learn", "pyarrow", "torch", "transformers", "accelerate", "peft")


def start(request: Request, data: Any, folder: Path, *, resume: bool) -> Run:
    """A run whose work lies in the folder, new or, with `resume`, where the last attempt stood.

    Raises:
        ArtifactError: the folder holds a finished application, an unfinished run, or something else.
        DataError: a resumed run is given other data than it began with.
        ResourceError: the folder cannot be written.
    """
    run = Run(request.settings, folder / WORK)
    digest = reading.hash_of(data)
    if resume:
        _same_data(run, digest, folder)
    elif is_main_process():
        _refuse_occupied(folder)
    try:
        run.folder.mkdir(parents=True, exist_ok=True)
        if is_main_process():
            command = f"headwater adapt --config {folder / CONFIG} --to FOLDER"
            write_whole(
                folder / CONFIG, _absolute(request).to_yaml(head=("To make this application again:", command)).encode()
            )
    except OSError as failure:
        raise ResourceError(
            "The run folder cannot be written",
            where=str(folder),
            got=str(failure),
            fix="Choose another folder with --to.",
        ) from failure
    run.note("data", {"hash": digest})
    return run


def unfinished(folder: Path) -> Request:
    """The request of the unfinished run in a folder.

    Raises:
        NotFoundError: there is none; a finished one has nothing to resume.
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


def changed(settings: Settings) -> dict[str, Any]:
    """The settings that differ from their defaults."""
    values = options.plain(settings)
    return {
        option.name: values[option.name]
        for option in options.options_of(Settings)
        if values[option.name] != option.default
    }


def versions() -> dict[str, str]:
    """The versions of Python and of the libraries that results depend on."""
    found = {"python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


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


def _same_data(run: Run, digest: str, folder: Path) -> None:
    begun = run.recall("data")
    if begun is not None and begun["hash"] != digest:
        raise DataError(
            "The data is not what this run began with", where=str(folder), fix="Restore the data, or start a new run."
        )


def _absolute(request: Request) -> Request:
    """The request with the path of its data made whole, so that it can be repeated from any place."""
    if request.data is None or not Path(request.data).exists():
        return request
    return Request(
        request.task, str(Path(request.data).resolve()), request.model, request.settings, request.model_settings
    )
