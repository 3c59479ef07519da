"""What is written down of the data behind a foundation; what is not written down is not guessed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headwater import artifact
from headwater.errors import ArtifactError
from headwater.foundation.locate import locate, read_json

_CARD = "README.md"


@dataclass(frozen=True)
class Origin:
    """The data that a foundation has learnt from, as far as its own files name it.

    Attributes:
        data: the names of the data sets; empty where the files name none.
        told_by: the file that names them, None where there is none.
        of_run: whether it is a run folder of headwater: `data` is then what that run adapted it on.
    """

    data: tuple[str, ...]
    told_by: str | None
    of_run: bool = False


def origin(name: str, *, offline: bool = False, trust_remote_code: bool = False) -> Origin:
    """What a foundation's model card, or the report of a run folder, names as its data.

    Raises:
        NotFoundError, ArtifactError, ExtraError: as `locate` does.
    """
    folder = Path(name).expanduser()
    if (folder / artifact.MANIFEST).exists():
        return _of_run(folder)
    place = locate(name, offline=offline, trust_remote_code=trust_remote_code)
    named = _named(_front_matter(place / _CARD).get("datasets"))
    return Origin(named, _CARD if (place / _CARD).exists() else None)


def _of_run(folder: Path) -> Origin:
    report = folder / artifact.REPORT[0]
    try:
        told = read_json(report).get("provenance")
    except ArtifactError:  # a run may be kept without its report, which changes no answer
        return Origin((), None, of_run=True)
    data = told.get("data") if isinstance(told, dict) else None
    return Origin((data,) if isinstance(data, str) else (), report.name, of_run=True)


def _named(datasets: Any) -> tuple[str, ...]:
    """Model cards give one name, or a list of them."""
    names = [datasets] if isinstance(datasets, str) else datasets
    return tuple(str(name) for name in names) if isinstance(names, list) else ()


def _front_matter(card: Path) -> dict[str, Any]:
    """The YAML at the head of a model card; nothing where there is none, or it cannot be read."""
    import yaml

    try:
        head = card.read_text("utf-8").split("---\n")
    except (OSError, UnicodeDecodeError):
        return {}
    if len(head) < 3 or head[0].strip():
        return {}
    try:
        values = yaml.safe_load(head[1])
    except yaml.YAMLError:
        return {}
    return values if isinstance(values, dict) else {}
