"""Points in time are read from whatever a table holds them in."""

from __future__ import annotations

from datetime import date, datetime

import numpy as np
import pyarrow as pa
import pytest

from headwater.data.records import Records
from headwater.data.times import times
from headwater.errors import DataError


@pytest.mark.parametrize(
    "cells",
    [
        ["2024-01-31", "2024-02-01", "2024-02-01T08:30"],
        ["2024-02-01T00:00:00+00:00", "2024-02-01T00:30:00Z", "2024-02-01T00:00:00-02:00"],
        [date(2024, 1, 31), date(2024, 2, 1), date(2025, 1, 1)],
        [datetime(2024, 1, 31, 5), datetime(2024, 1, 31, 6), datetime(2024, 2, 1)],
        ["9", "10", " 11.5"],
        [2019, 2020, 2021],
        ["20240131", "20240201", "20240202"],
    ],
)
def test_later_is_larger(cells: list[object]):
    found = times(Records(pa.table({"when": cells})), "when")
    assert (np.diff(found) > 0).all()


@pytest.mark.parametrize("cell", ["yesterday", None, "nan", "31/01/2024", "7"])
def test_a_cell_that_is_no_time_is_named_with_its_line(cell: str | None):
    records = Records(pa.table({"when": ["2024-01-31", cell]}), files=("a.csv",), lines=np.array([2, 7]))
    with pytest.raises(
        DataError, match="Column when is to split by time, but this cell is no such point in time"
    ) as told:
        times(records, "when")
    assert str(told.value).startswith("a.csv:7: " if cell != "7" else "a.csv:2: ")


def test_flags_are_no_times():
    with pytest.raises(DataError, match="no such point in time"):
        times(Records(pa.table({"when": [True, False]})), "when")
