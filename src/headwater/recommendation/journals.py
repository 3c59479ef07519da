"""The files of a journal: what a server was told since a model was made, to be served again and to be learnt from."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from headwater.data.naming import text_of
from headwater.data.records import Records
from headwater.errors import DataError
from headwater.recommendation import cleaning

log = logging.getLogger("headwater")


def files_of(folder: Path) -> list[Path]:
    """The files of a journal, the oldest first."""
    return sorted(folder.glob("[0-9]*.jsonl"))


def lines_of(folder: Path) -> Iterator[dict[str, Any]]:
    """All that was acknowledged, in the order in which it came; damaged lines are told and left out."""
    for path in files_of(folder):
        for number, line in enumerate(path.read_bytes().split(b"\n"), start=1):
            if line:
                found = _read(line)
                if found is None:
                    log.warning("%s:%d: this line of the journal is damaged, and left out", path, number)
                else:
                    yield found


def beside(folder: Path, known: Records) -> Records:
    """The interactions of a journal with the columns of those that they stand beside.

    As when they are served, one without a rating is worth what the user's others are in the mean, or all there are. One
    without a time is later than all that are known, in the order in which they came.

    Args:
        folder: of the journal.
        known: canonical interactions that can be used.

    Raises:
        DataError: there is no journal in this folder.
    """
    if not files_of(folder):
        raise DataError(
            "There is no journal in this folder", where=f"--journal {folder}",
            got=[path.name for path in sorted(folder.iterdir())[:5]] if folder.is_dir() else "no folder",
            accepted="a folder that headwater serve wrote, such as RUN.journal with 000001.jsonl",
        )  # fmt: skip
    lines = [line for line in lines_of(folder) if _is_interaction(line, folder)]
    told: dict[str, Any] = {
        name: pa.array([text_of(line[name]) for line in lines], pa.string()) for name in ("user", "item")
    }
    if cleaning.RATINGS in known.columns:
        told[cleaning.RATINGS] = _ratings(lines, known)
    if cleaning.TIMES in known.columns:
        told[cleaning.TIMES] = _times(lines, known)
    if "split" in known.columns:
        told["split"] = pa.array(["train"] * len(lines), pa.string())
    return Records(pa.table(told), name=str(folder))


def is_finite(value: Any) -> bool:
    """Whether a value of JSON is a number that a float holds.

    Example:
        >>> is_finite(3.5), is_finite(True), is_finite(10**400)
        (True, False, False)
    """
    try:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:
        return False


def _read(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _is_interaction(line: dict[str, Any], folder: Path) -> bool:
    """Whether a line can be learnt from. A server writes no other; people who mend a file may."""
    numbers = [line[name] for name in ("rating", "timestamp") if line.get(name) is not None]
    if all(map(is_finite, numbers)) and line.get("user") is not None and line.get("item") is not None:
        return True
    log.warning("%s: a line of the journal is no interaction, and left out: %s", folder, json.dumps(line)[:200])
    return False


def _ratings(lines: list[dict[str, Any]], known: Records) -> pa.Array:
    users = cleaning.ids_of(known.table.column("user"))[0]
    values, of = known.table.column(cleaning.RATINGS).to_numpy(), users.indices.to_numpy(zero_copy_only=False)
    counts = np.bincount(of, minlength=len(users.dictionary))
    means = np.bincount(of, weights=values, minlength=len(counts)) / np.maximum(counts, 1)
    usual = dict(zip(map(text_of, users.dictionary.to_pylist()), means.tolist(), strict=True))
    every = float(values.mean()) if len(values) else 0.0
    given = (line.get("rating") for line in lines)
    return pa.array(
        [usual.get(text_of(line["user"]), every) if rating is None else float(rating)
         for rating, line in zip(given, lines, strict=True)], pa.float64()
    )  # fmt: skip


def _times(lines: list[dict[str, Any]], known: Records) -> pa.Array:
    times = known.table.column(cleaning.TIMES).to_numpy()
    latest = float(times.max()) if len(times) else 0.0
    given = [line.get("timestamp") for line in lines]
    return pa.array(
        [latest + place if time is None else float(time) for place, time in enumerate(given, start=1)], pa.float64()
    )
