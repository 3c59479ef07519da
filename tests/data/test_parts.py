"""Parts of a source put together are the source: no row lost, none moved, each with its place."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from headwater.data.parts import Row, batches, joined, records_of, slices
from headwater.data.reading import read, read_parts
from headwater.data.records import Records
from headwater.settings import DataSettings

ROWS = [Row(line, [str(line)], "torn" if line % 4 == 0 else None) for line in range(2, 12)]


def part(rows: list[Row]) -> Records:
    texts = pa.array([None if row.reason else row.cells[0] for row in rows], pa.string())
    return records_of(pa.table({"text": texts}), rows, "a.csv", "a.csv")


@pytest.mark.parametrize("size", [1, 3, 10, 99])
def test_parts_of_any_size_make_the_whole(size: int) -> None:
    whole, parts = part(ROWS), [part(batch) for batch in batches(ROWS, size)]
    found = joined(parts)
    assert max(map(len, parts)) <= size
    assert found.table.to_pylist() == whole.table.to_pylist()
    assert (dict(found.problems), found.lines.tolist()) == (dict(whole.problems), whole.lines.tolist())


@pytest.mark.parametrize("size", [1, 3, 10, 99])
def test_slices_keep_problems_and_lines(size: int) -> None:
    whole = part(ROWS)
    parts = list(slices(whole, size))
    assert joined(parts).problems == whole.problems
    assert [line for one in parts for line in one.lines] == [row.line for row in ROWS]


def test_no_rows_are_one_empty_part() -> None:
    assert list(batches([], 3)) == [[]]
    assert [len(one) for one in slices(Records(pa.table({"text": []})), 3)] == [0]


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet"])
def test_files_read_in_parts_are_the_files(tmp_path: Path, name: str) -> None:
    from headwater.data.writing import PredictionWriter

    with PredictionWriter(tmp_path / name) as writer:
        writer.write(pa.table({"text": [f"text {row}" for row in range(20)]}))
    whole, parts = read(tmp_path / name, DataSettings()), list(read_parts(tmp_path / name, DataSettings(), rows=7))
    assert [len(one) for one in parts] == [7, 7, 6]
    assert joined(parts).table.to_pylist() == whole.table.to_pylist()
    assert joined(parts).lines.tolist() == whole.lines.tolist()
