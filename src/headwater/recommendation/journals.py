"""The files of a journal: what a server was told since a model was made, to be served again and to be learnt from."""

from __future__ import annotations

import json
import logging
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
    lines = [line for line in lines_of(folder) if line.get("user") is not None and line.get("item") is not None]
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


def _read(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


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
