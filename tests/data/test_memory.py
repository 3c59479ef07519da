import io
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from PIL import Image

from headwater.data.memory import column, read_memory
from headwater.data.pictures import Picture, pixels
from headwater.data.raster import encode
from headwater.data.reading import hash_of, read, read_parts
from headwater.errors import DataError, ExtraError
from headwater.settings import DataSettings

COLUMNS = {"text": ["a", None, "c"], "label": [1, 0, 1]}
ROWS = [{"text": text, "label": label} for text, label in zip(*COLUMNS.values(), strict=True)]


@pytest.mark.parametrize(
    "source",
    [
        COLUMNS,
        ROWS,
        pd.DataFrame(COLUMNS),
        pl.DataFrame(COLUMNS),
        pa.table(COLUMNS),
        pa.RecordBatch.from_pydict(COLUMNS),
    ],
    ids=["dict", "dicts", "pandas", "polars", "arrow", "batch"],
)
def test_tables_of_all_libraries(source):
    records = read(source, DataSettings())
    assert records.table.to_pylist() == ROWS
    assert records.lines.tolist() == list(range(1, len(ROWS) + 1))
    parts = list(read_parts(source, DataSettings(), rows=2))
    assert [part.table.to_pylist() for part in parts] == [ROWS[:2], ROWS[2:]]
    assert [number for part in parts for number in part.lines] == list(range(1, len(ROWS) + 1))


def test_datasets_give_the_names_of_their_classes():
    from datasets import ClassLabel, Dataset, Features, Value

    features = Features({"text": Value("string"), "label": ClassLabel(names=["bad", "good"])})
    dataset = Dataset.from_dict({"text": ["a", "b", "c"], "label": [1, 0, -1]}, features=features)
    assert read_memory(dataset.select([2, 0])).table.to_pylist() == [
        {"text": "c", "label": None},
        {"text": "a", "label": "good"},
    ]


@pytest.mark.parametrize("source", [["a", None], ("a", None), np.array(["a", None]), pd.Series(["a", None]),
                                    pl.Series(["a", None]), pa.array(["a", None])])  # fmt: skip
def test_lists_of_texts(source):
    assert read_memory(source).table.to_pylist() == [{"text": "a"}, {"text": None}]


@pytest.mark.parametrize("pair", [("a", "b"), ["a", "b"]])
def test_pairs(pair):
    assert read_memory([pair, None]).table.to_pylist() == [
        {"text": "a", "text_2": "b"},
        {"text": None, "text_2": None},
    ]


def test_records_come_back_as_they_are():
    records = read_memory(["a"])
    assert read(records, DataSettings()) is records


def test_elements_of_another_kind_are_problems_in_their_places():
    records = read_memory(["a", 3, float("nan"), "b\ud800", "c"])
    assert records.column("text") == ["a", None, None, None, "c"]
    assert {row: str(problem) for row, problem in records.problems.items()} == {
        1: "row 2: this row is int, not str as the others",
        3: "row 4: text that is not valid Unicode",
    }
    assert str(read_memory([("a", "b"), ("c",)]).problems[1]) == "row 2: a pair has two texts, not 1"
    assert str(read_memory([{"a": 1}, "b"]).problems[1]) == "row 2: this row is str, not mapping as the others"


def test_nothing_is_no_rows():
    assert (len(read_memory([])), read_memory([]).columns) == (0, ["text"])
    assert len(next(read_parts([], DataSettings()))) == 0


def test_pandas_types():
    frame = pd.DataFrame({
        "kind": pd.Categorical(["x", None]), "n": [1.0, np.nan], "mixed": [1, "a"],
        "when": pd.to_datetime(["2020-01-01", None]),
        3: ["a", "b"],
    }, index=[7, 7])  # fmt: skip
    assert read_memory(frame).table.to_pylist() == [
        {"kind": "x", "n": 1.0, "mixed": "1", "when": datetime(2020, 1, 1), "3": "a"},
        {"kind": None, "n": None, "mixed": "a", "when": None, "3": "b"},
    ]


def test_the_source_is_not_changed():
    rows = [{"text": "a"}, {"label": {"deep": 1}}]
    read_memory(rows)
    assert rows == [{"text": "a"}, {"label": {"deep": 1}}]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([True, 1, None], ["true", "1", None]),
        ([2**70, 1], [str(2**70), "1"]),
        ([["a"], "b"], ['["a"]', "b"]),
        ([[["a"]], [1]], ['[["a"]]', "[1]"]),
        ([float("nan"), 1], [None, 1]),
        ([float("nan"), "a"], [None, "a"]),
    ],
)
def test_columns_of_several_kinds(values, expected):
    assert column(values)[0].to_pylist() == expected


@pytest.mark.parametrize("source", [3, None, b"abc", object()])
def test_what_is_no_data(source):
    with pytest.raises(DataError, match=r"Data cannot be read from this\. Got .* Accepted: a path, hub:owner/name"):
        read_memory(source)


def test_what_is_no_table():
    with pytest.raises(DataError, match=r"A row cannot be read from this\. Got 3\. Accepted: a text, a .* or an image"):
        read_memory([3])
    with pytest.raises(DataError, match=r"The columns are of unequal length\. Got {'a': 1, 'b': 2}"):
        read_memory({"a": [1], "b": [1, 2]})
    with pytest.raises(DataError, match=r"text: A dict of columns needs a list for each\. Got 'a'"):
        read_memory({"text": "a"})
    with pytest.raises(DataError, match="The rows have no columns"):
        read_memory([{}, {}])


def opened(cells):
    """The pixels of the image files in cells."""
    return [None if cell is None else np.asarray(Image.open(io.BytesIO(cell))) for cell in cells]


GREY = np.arange(48, dtype=np.uint8).reshape(2, 4, 6)
COLOUR = np.arange(2 * 4 * 6 * 3, dtype=np.uint8).reshape(2, 4, 6, 3)


@pytest.mark.parametrize("stack", [GREY, COLOUR], ids=["grey", "colour"])
@pytest.mark.parametrize(
    "shape",
    [
        lambda stack: stack,
        list,
        lambda stack: [Image.fromarray(one) for one in stack],
        tuple,
        lambda stack: pd.Series(list(stack)),
    ],
    ids=["stack", "arrays", "images", "tuple", "series"],
)
def test_images_alone(stack, shape):
    records = read_memory(shape(stack))
    assert (records.columns, records.problems) == (["image"], {})
    np.testing.assert_array_equal(opened(records.column("image")), stack)


@pytest.mark.parametrize(
    "table",
    [
        lambda images: {"image": np.stack(images), "label": np.array(["a", "b"])},
        lambda images: {"image": images, "label": ["a", "b"]},
        lambda images: [{"image": image, "label": label} for image, label in zip(images, "ab", strict=True)],
        lambda images: pd.DataFrame({"image": images, "label": ["a", "b"]}),
        lambda images: pd.DataFrame({"image": [Image.fromarray(image) for image in images], "label": ["a", "b"]}),
        lambda images: {"image": [encode(image) for image in images], "label": ["a", "b"]},
        lambda images: pl.DataFrame({"image": [encode(image) for image in images], "label": ["a", "b"]}),
        lambda images: pa.table({"image": [encode(image) for image in images], "label": ["a", "b"]}),
    ],
    ids=["stack", "columns", "dicts", "pandas", "pandas of Pillow", "bytes", "polars", "arrow"],
)
def test_images_in_tables(table):
    records = read(table(list(COLOUR)), DataSettings())
    np.testing.assert_array_equal(opened(records.column("image")), COLOUR)
    assert records.column("label") == ["a", "b"]
    assert hash_of(table(list(COLOUR))) == hash_of(table(list(COLOUR)))


def test_bytes_stay_as_they_are():
    assert read_memory([b"one", None, b"two"]).table.to_pylist() == [{"image": cell} for cell in (b"one", None, b"two")]


def test_images_that_are_none_are_problems_in_their_places():
    records = read_memory(
        [GREY[0], "a.png", None, np.zeros((2, 3, 5)), b"bytes", float("nan"), np.zeros((2, 2), object)]
    )
    assert [cell is None for cell in records.column("image")] == [False, True, True, True, False, True, True]
    assert {row: str(problem) for row, problem in records.problems.items()} == {
        1: "row 2: this row is str, not an image as the others",
        3: "row 4: An array of this shape is no image. Got (2, 3, 5). Accepted: (height, width) or (height, width, 1, "
        "3 or 4)",
        6: "row 7: An array of this type is no image. Got 'object'. Accepted: numbers",
    }
    records = read_memory({"image": [GREY[0], 3], "label": ["a", "b"]})
    assert (str(records.problems[1]), records.column("label")) == (
        "row 2: this row is int, not an image as the others",
        ["a", None],
    )


def test_cells_of_the_hub_stay_as_they_are():
    cells = [{"bytes": b"one", "path": None}, {"bytes": None, "path": "a.png"}]
    assert read_memory({"image": cells}).column("image") == cells
    assert read_memory(pd.DataFrame({"image": cells})).column("image") == cells
    assert read_memory({"image": [{"bytes": b"one", "path": None, "size": 3}]}).column("image") != cells[:1]


def test_paths_are_texts():
    assert read_memory([Path("a.png"), "b.png"]).column("text") == ["a.png", "b.png"]
    assert read_memory({"image": [Path("a.png"), None]}).column("image") == ["a.png", None]


def test_rows_without_images_need_no_pillow(monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    assert read_memory([{"text": "a", "label": 1}]).columns == ["text", "label"]
    assert read_memory({"x": np.zeros((3, 2))}).columns == ["x"]
    with pytest.raises(ExtraError, match="Images need the library Pillow"):
        read_memory(GREY)


def _brightest(source: Any) -> list[int]:
    cells = read_memory(source).column("image")
    return [0 if cell is None else int(pixels(Picture(content=cell), 2, grey=True).max()) for cell in cells]


@pytest.mark.parametrize("kind", ["<u2", ">u2", "i4", "f4"])
def test_arrays_of_a_column_have_one_white(kind: str):
    arrays = [np.full((2, 2), shade, kind) for shade in (4095, 1000, 60)]
    assert _brightest(arrays) == _brightest({"image": arrays}) == [255, 62, 4]
    assert _brightest(np.stack(arrays)) == [255, 62, 4]


def test_one_number_gone_wrong_makes_no_column_black():
    arrays = [np.full((2, 2), 4095, np.uint16) for _ in range(100)]
    arrays[7] = np.full((2, 2), 65_535, np.uint16)
    assert _brightest(arrays) == [255] * 100


def test_arrays_between_zero_and_one_stay_so_beside_others():
    arrays = [np.full((2, 2), 0.5), np.full((2, 2), 200.0), np.full((2, 2), 7, np.uint8), np.full((2, 2), -3.0)]
    assert _brightest(arrays) == [128, 200, 7, 0]
    assert "An array of these numbers is no image" in str(read_memory(arrays).problems[3])
