"""Rows become interactions; what cannot be one is told."""

from __future__ import annotations

import time
from datetime import datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from headwater.data.records import Records
from headwater.errors import DataError, NotFoundError
from headwater.recommendation.cleaning import ids_of, marked, numbers_of, spread, times_of
from headwater.recommendation.roles import Columns, find_columns
from headwater.settings import Settings


def _column(values: list[Any]) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(values)])


@pytest.mark.parametrize(
    "names",
    [
        ("user_id", "item_id", "rating", "timestamp"),
        ("userId", "movieId", "rating", "timestamp"),
        ("userID", "itemID", "rating", "timestamp"),
        ("uid", "iid", "r", "t"),
        ("user_id", "item_id", "weight", "datetime"),
        ("Customer ID", "StockCode", "score", "date"),
    ],
)
def test_columns_are_found_by_their_usual_names(names: tuple[str, ...]) -> None:
    records = Records(pa.table({name: [1] for name in reversed(names)}))
    assert find_columns(records, Settings()) == Columns(*names)


def test_columns_that_are_named_come_first() -> None:
    records = Records(pa.table({"user": [1], "item": [1], "who": [1], "rating": [1]}))
    assert find_columns(records, Settings(user="who", rating="no")) == Columns("who", "item")
    with pytest.raises(NotFoundError, match=r"There is no column of this name.*Did you mean who\?"):
        find_columns(records, Settings(user="whoo"))
    with pytest.raises(DataError, match=r"There is no column of items.*Name it with --item"):
        find_columns(Records(pa.table({"user": [1], "what": [1]})), Settings())


def test_ids_keep_their_type_and_equal_texts_are_one() -> None:
    whole, missing = ids_of(_column([3, None, 3]))
    assert (whole.dictionary.to_pylist(), missing) == ([3], [1])
    texts, missing = ids_of(_column([" a", "a ", " ", "b"]))
    assert (texts.dictionary.to_pylist(), texts.indices.to_pylist(), missing) == (["a", "b"], [0, 0, None, 1], [2])
    floats, _ = ids_of(_column([1.0, 2.0]))
    assert floats.dictionary.to_pylist() == [1, 2]


def test_every_bad_row_has_its_reason() -> None:
    soon = str(int(time.time()) + 10 * 86_400)
    table = pa.table(
        {
            "u": ["a", None, "a", "b", "b", "c", "d"],
            "i": ["x", "x", " ", "x", "y", "z", "z"],
            "r": ["4.5", "1", "2", "good", "3", "-1e1", "2"],
            "t": ["881250949", "881250949", "881250949", "881250949", soon, "nan", "-5"],
        }
    )
    found = marked(Records(table, lines=np.arange(1, 8)), Columns("u", "i", "r", "t"))
    assert [str(found.problems[row]) for row in sorted(found.problems)] == [
        "row 2: the user is missing",
        "row 3: the item is missing",
        "row 4: the rating in column r is no number",
        "row 5: the time lies in the future",
        "row 6: the time is neither a number nor an ISO 8601 date, such as 2026-07-31 or 2026-07-31T18:00",
        "row 7: the time is before 1970",
    ]


def test_numbers_are_read_as_people_write_them() -> None:
    values, wrong = numbers_of(_column([" 3 ", "4.", ".5", "1e2", "3,5", None, "x"]))
    assert values.to_pylist()[:4] == [3.0, 4.0, 0.5, 100.0]
    assert wrong == [4, 5, 6]
    assert numbers_of(_column([True, False]))[0].to_pylist() == [1.0, 0.0]
    assert numbers_of(_column([Decimal("4.5"), None]))[1] == [1]
    assert numbers_of(_column([["x"]]))[1] == [0]


@pytest.mark.parametrize("unit", [1, 1e3, 1e6, 1e9])
def test_times_of_any_unit_are_seconds(unit: float) -> None:
    values, reasons = times_of(_column([int(881250949 * unit), int(891717742 * unit)]))
    np.testing.assert_allclose(values.to_numpy(), [881250949, 891717742])
    assert reasons == {}


def test_dates_texts_and_plain_order_are_times() -> None:
    dates, _ = times_of(_column(["2024-01-31T18:00:00Z", "2024-02-01", "someday"]))
    assert dates.to_pylist()[1] - dates.to_pylist()[0] == 6 * 3600
    moments, _ = times_of(_column([datetime(1970, 1, 2), None]))
    assert moments.to_pylist()[0] == 86_400
    fine = pa.chunked_array([pa.array([1_600_000_000_123_456_789], pa.timestamp("ns"))])
    assert times_of(fine)[0].to_pylist() == [pytest.approx(1_600_000_000.123456)]
    order, reasons = times_of(_column([3, 1, 2]))
    assert (order.to_pylist(), reasons) == ([3, 1, 2], {})


def test_lists_of_ratings_go_with_their_items() -> None:
    told = {"user": ["a", "b", "c"], "item": [["x", "y"], ["z"], None], "rating": [[5.0, 1.0], [2.0, 3.0], [4.0]]}
    found = spread(Records(pa.table(told), lines=np.array([1, 2, 3])), Columns("user", "item", "rating"))
    assert found.table.column("item").to_pylist() == ["x", "y", "z", None]
    assert found.table.column("rating").to_pylist() == [5.0, 1.0, None, None]
    assert [str(problem) for problem in found.problems.values()] == [
        "row 2: the lists in columns item and rating are not of one length"
    ]


def test_lists_of_items_become_rows() -> None:
    baskets = Records(pa.table({"user": ["a", "b", "c"], "item": [["x", "y"], [], ["z"]]}), lines=np.array([5, 6, 7]))
    found = spread(baskets.with_problems({2: "odd"}), Columns("user", "item"))
    assert found.table.column("item").to_pylist() == ["x", "y", None, "z"]
    assert found.lines is not None
    assert found.lines.tolist() == [5, 5, 6, 7]
    assert list(found.problems) == [3]
