"""The run folder on disk: written whole or not at all, checked by hash when read, upgraded from older formats.

    application.json   the manifest: format, task, model, settings, and the sha256 of every file of model/
    model/             what the application learnt: safetensors and JSON, and nothing that the manifest does not list
    config.yaml        the settings that make it again
    report.json, report.html, README.md, quarantine.jsonl

The files beside model/ are for people and have no hash: of them, only the report is read, and it changes no answer.
Nothing in a run folder is ever unpickled, and the classes to load come from the catalog, never from the folder.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headwater import __version__, catalog, options
from headwater.errors import ArtifactError, HeadwaterError, NotFoundError, ResourceError
from headwater.run import write_whole
from headwater.settings import Settings

if TYPE_CHECKING:
    from headwater.application import Application

FORMAT = 1
MANIFEST = "application.json"
MODEL = "model"
CONFIG = "config.yaml"
REPORT = ("report.json", "report.html", "README.md")
"""The report for machines, for people, and as a model card."""
WORK = "work"
"""Where an unfinished run keeps its checkpoints."""
SEARCH = "search"
"""The note there that tells a search from a single run."""
_OWN = (MANIFEST, MODEL, *REPORT, CONFIG)
_FRESH, _OLD = ".headwater.new", ".headwater.old"
UPGRADES: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""For each older format, the function that turns its manifest into the next format's."""
_KINDS = {"task": str, "model": str, "settings": dict, "model_settings": dict, "files": dict}
"""What a manifest holds."""


def save(application: Application, folder: Path) -> None:
    """Writes an application into a new, an empty or a run folder; one that is there already stays until this is whole.

    Raises:
        ArtifactError: the folder holds files that are not of a run.
        ResourceError: the folder cannot be written.
    """
    fresh, old = folder / _FRESH, folder / _OLD
    try:
        _refuse_foreign(folder)
        shutil.rmtree(fresh, ignore_errors=True)
        _write(application, fresh)
        shutil.rmtree(old, ignore_errors=True)
        _swap(fresh, old, folder)
    except OSError as failure:
        raise ResourceError(
            "The run folder cannot be written",
            where=str(folder),
            got=str(failure),
            fix="Choose another folder with --to.",
        ) from failure
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def load(folder: Path) -> Application:
    """The application in a folder.

    Raises:
        NotFoundError: there is no such folder, or no finished application in it.
        ArtifactError: a model file is missing, changed, unlisted or unsafe, or the format is newer than this headwater.
    """
    from safetensors import SafetensorError

    manifest = verified(folder)
    entry = catalog.task(manifest["task"])
    application: Application = catalog.load(entry.path, extra=entry.extra)(
        manifest["model"],
        options.build(Settings, manifest["settings"], where=str(folder / MANIFEST)),
        **manifest["model_settings"],
    )
    if (folder / CONFIG).is_file():
        # It is kept, not used: what is damaged in it must not keep the application from answering.
        application.config = (folder / CONFIG).read_text("utf-8", errors="replace")
    try:
        application.read(folder / MODEL)
    except HeadwaterError:
        raise
    except (OSError, LookupError, ValueError, TypeError, AttributeError, SafetensorError) as damage:
        raise ArtifactError(
            "The model files do not fit together",
            where=str(folder),
            got=str(damage),
            fix="Make the run again from its config.yaml.",
        ) from damage
    return application


def verified(folder: Path) -> dict[str, Any]:
    """The manifest of a run folder, in today's format, after checking the hash of every file of the model.

    Raises:
        NotFoundError, ArtifactError: as `load` does.
    """
    manifest = _upgraded(_read_manifest(folder), folder)
    _verify(manifest["files"], folder)
    return manifest


def sha256(path: Path) -> str:
    """The hash of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(application: Application, fresh: Path) -> None:
    """All that is saved of an application, in a folder of its own."""
    (fresh / MODEL).mkdir(parents=True)
    application.write(fresh / MODEL)
    if application.report is not None:
        application.report.save(fresh)
    if application.config is not None:
        write_whole(fresh / CONFIG, application.config.encode())
    write_whole(fresh / MANIFEST, json.dumps(_manifest(application, fresh), indent=1, ensure_ascii=False).encode())


def _swap(fresh: Path, old: Path, folder: Path) -> None:
    """Puts fresh files in the place of the old ones, which come back if that fails.

    The manifest goes first and comes last: without one a folder is an unfinished run, so that even a process that is
    killed in here leaves no half-truth.
    """
    coming = {name for name in _OWN if (fresh / name).exists()}
    old.mkdir()
    try:
        for name in _OWN:
            if (folder / name).exists():
                (folder / name).rename(old / name)
        for name in reversed(_OWN):
            if name in coming:
                (fresh / name).rename(folder / name)
    finally:
        if not (folder / MANIFEST).exists():
            for name in reversed(_OWN):
                if name in coming and not (fresh / name).exists():
                    (folder / name).rename(fresh / name)
                if (old / name).exists():
                    (old / name).rename(folder / name)
        # Not reached where the old files could not be put back: they are all that is left of the application.
        shutil.rmtree(old, ignore_errors=True)


def _refuse_foreign(folder: Path) -> None:
    """A folder of the user's own may hold a README.md and a model/ that are not ours to replace."""
    if not folder.is_dir() or not any(path.name != _FRESH for path in folder.iterdir()):
        return
    unfinished = (folder / CONFIG).is_file() and (folder / WORK).is_dir()
    if not (unfinished or (folder / _OLD).is_dir() or _has_manifest(folder)):
        raise ArtifactError(
            "This folder holds other files, which an application would replace or hide", where=str(folder),
            accepted="a new or empty folder, or a run folder", fix="Save to another folder.",
        )  # fmt: skip


def _has_manifest(folder: Path) -> bool:
    """Whether the folder has a manifest that is ours: other programs, too, write files of this name."""
    try:
        return "task" in _read_manifest(folder)
    except HeadwaterError:
        return False


def _manifest(application: Application, folder: Path) -> dict[str, Any]:
    files = sorted(path for path in (folder / MODEL).rglob("*") if path.is_file())
    return {
        "format": FORMAT,
        "headwater": __version__,
        "task": application.task,
        "model": application.model_name,
        "settings": options.plain(application.settings),
        "model_settings": application.model_settings,
        "files": {path.relative_to(folder).as_posix(): sha256(path) for path in files},
    }


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    if not path.exists():
        unfinished = (folder / "config.yaml").exists()
        raise NotFoundError(
            "This run is not finished" if unfinished else "There is no headwater application here",
            where=str(folder),
            accepted="a folder that `headwater adapt --to FOLDER` has finished",
            fix=f"Go on with: headwater {'tune' if is_search(folder) else 'adapt'} --resume --to {folder}"
            if unfinished
            else None,
        )
    try:
        manifest = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as damage:
        raise ArtifactError(
            "The manifest cannot be read", where=str(path), got=str(damage), fix="Copy the run folder again."
        ) from damage
    if not isinstance(manifest, dict) or not isinstance(manifest.get("format"), int):
        raise ArtifactError("The manifest has no format number", where=str(path), accepted=f"format 1 to {FORMAT}")
    return manifest


def is_search(folder: Path) -> bool:
    """Whether the unfinished run in a folder is a search."""
    return (folder / WORK / f"{SEARCH}.json").exists()


def _upgraded(manifest: dict[str, Any], folder: Path) -> dict[str, Any]:
    while manifest["format"] < FORMAT and manifest["format"] in UPGRADES:
        manifest = UPGRADES[manifest["format"]](manifest)
    if manifest["format"] != FORMAT:
        raise ArtifactError(
            "The run folder has a format that this headwater does not know", where=str(folder), got=manifest["format"],
            accepted=f"format 1 to {FORMAT}", fix="Install the headwater that made it, or a newer one.",
        )  # fmt: skip
    if missing := _KINDS.keys() - manifest.keys():
        raise ArtifactError(
            "The manifest lacks entries",
            where=str(folder / MANIFEST),
            got=sorted(missing),
            fix="Copy the run folder again.",
        )
    wrong = [name for name, kind in _KINDS.items() if not isinstance(manifest[name], kind)]
    if wrong:
        raise ArtifactError(
            "Entries of the manifest are of the wrong kind", where=str(folder / MANIFEST), got=wrong,
            fix="Copy the run folder again.",
        )  # fmt: skip
    return manifest


def _verify(files: dict[str, str], folder: Path) -> None:
    root = folder.resolve()
    for name, expected in files.items():
        path = (folder / name).resolve()
        if not path.is_relative_to(root):
            raise ArtifactError(
                "The manifest names a file outside the run folder", where=str(folder), got=name,
                fix="Do not use this folder: it was changed, or made to mislead.",
            )  # fmt: skip
        if not path.is_file():
            raise ArtifactError(
                "A file of the application is missing", where=str(path), fix="Copy the whole run folder."
            )
        if sha256(path) != expected:
            raise ArtifactError(
                "A file of the application is not the one that was saved", where=str(path),
                fix="Copy the run folder again, or make the run again from its config.yaml.",
            )  # fmt: skip
    listed = {(folder / name).as_posix() for name in files}
    found = (path for path in sorted((folder / MODEL).rglob("*")) if path.is_symlink() or not path.is_dir())
    # Libraries pick files up by their names: an adapter beside an encoder would change its answers, unasked.
    extra = [path.relative_to(folder).as_posix() for path in found if path.as_posix() not in listed]
    if extra:
        raise ArtifactError(
            "The model has files that were not saved with it", where=str(folder), got=extra,
            fix="Remove them if you know how they came there; else do not use this folder.",
        )  # fmt: skip
