"""A folder as people download it: which of its files are the interactions, the items and the users."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from headwater.data.cells import ATOMIC
from headwater.data.reading import COLUMNAR, JSON_LINES, TABLES
from headwater.errors import DataError

_NAMES: Final = {
    "interactions": ("interactions", "ratings", "events", "reviews", "purchases", "clicks"),
    "items": ("items", "movies", "books", "products", "articles", "tracks", "artists"),
    "users": ("users", "customers", "members"),
}
"""What files of each kind are called, before their suffix."""
_WHOLE: Final = {
    "interactions": ("u.data", "ratings.dat"),
    "items": ("u.item", "movies.dat"),
    "users": ("u.user", "users.dat"),
}
"""MovieLens's own files, which no table suffix tells."""
_ATOMIC: Final = dict(zip(("interactions", "users", "items"), (ATOMIC[0], ATOMIC[2], ATOMIC[1]), strict=True))
_TABLES: Final = (*TABLES, *JSON_LINES, *COLUMNAR)
_SHOWN: Final = 12


@dataclass(frozen=True)
class Files:
    """The files of a data set; None for a table that the folder does not have."""

    interactions: str
    items: str | None = None
    users: str | None = None


def files_in(folder: Path, given: Sequence[str] = ()) -> Files:
    """The files of a folder, known by how MovieLens, RecBole and people call them.

    Args:
        folder: as it was unpacked.
        given: kinds that are named elsewhere, which are not looked for: `items`, `users`.

    Raises:
        DataError: no file, or more than one, can be the interactions, or a table.
    """
    here = sorted(path for path in folder.iterdir() if path.is_file())
    found = {kind: [path for path in here if _is(path.name.lower(), kind)] for kind in _NAMES if kind not in given}
    if not found["interactions"]:
        raise DataError(
            "This folder has no file of interactions that is known by its name", where=str(folder),
            got=[path.name for path in here[:_SHOWN]],
            accepted="u.data, ratings.dat, ratings.csv, interactions.csv or another table, or NAME.inter",
            fix="Give the file itself.",
        )  # fmt: skip
    for kind, paths in found.items():
        if len(paths) > 1:
            fix = (
                "Give one itself, others with --valid or --test." if kind == "interactions" else f"Name one: --{kind}."
            )
            raise DataError(
                f"This folder has several files that may be the {kind}", where=str(folder),
                got=[path.name for path in paths], fix=fix,
            )  # fmt: skip
    return Files(**{kind: str(paths[0]) for kind, paths in found.items() if paths})


def is_folder(source: Any) -> bool:
    """Whether a source is a folder on this machine."""
    return isinstance(source, str | Path) and Path(source).is_dir()


def _is(name: str, kind: str) -> bool:
    name = name.removesuffix(".gz")
    stem, suffix = Path(name).stem, Path(name).suffix
    return name in _WHOLE[kind] or suffix == _ATOMIC[kind] or (suffix in _TABLES and stem in _NAMES[kind])
