import gzip
import json
import resource

import pyarrow as pa
import pytest

from headwater.data.reading import read
from headwater.data.writing import PredictionWriter
from headwater.errors import DataError, NotFoundError, ResourceError, SettingError
from headwater.settings import DataSettings

SUFFIXES = (
    ".csv", ".csv.gz", ".tsv", ".tsv.gz", ".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz", ".parquet", ".arrow",
    ".feather", ".ipc",
)  # fmt: skip
FIRST = pa.table({"text": ['a, "b"\n', "你好"], "prediction": ["x", "y"], "score": [0.25, None]})
SECOND = pa.table({"text": ["c"], "prediction": [None], "score": [float("nan")]})


def write(path, *parts):
    with PredictionWriter(path) as writer:
        for part in parts:
            writer.write(part)
    return path


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_was_written_is_read(tmp_path, suffix):
    path = write(tmp_path / f"out.v1{suffix}", FIRST, SECOND)
    records = read(path, DataSettings())
    assert records.columns == ["text", "prediction", "score"]
    assert records.column("text") == ['a, "b"\n', "你好", "c"]
    assert records.column("prediction") == ["x", "y", None]
    assert [None if value is None else float(value) for value in records.column("score")] == [0.25, None, None]
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
@pytest.mark.parametrize("parts", [[SECOND, FIRST], [SECOND, SECOND], []])
def test_columns_of_nulls_wait_for_their_type(tmp_path, suffix, parts):
    records = read(write(tmp_path / f"out{suffix}", *parts), DataSettings())
    assert len(records) == sum(map(len, parts))


def test_lists_are_json_in_csv(tmp_path):
    path = write(tmp_path / "out.csv", pa.table({"prediction": [["a", "é"], []]}))
    assert [json.loads(cell) for cell in read(path, DataSettings()).column("prediction")] == [["a", "é"], []]


def test_equal_tables_make_equal_files(tmp_path):
    contents = [write(tmp_path / f"{n}.csv.gz", FIRST).read_bytes() for n in "ab"]
    assert contents[0] == contents[1]
    assert gzip.decompress(contents[0]).startswith(b"text,prediction,score\n")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_error_leaves_the_older_file(tmp_path, suffix):
    path = tmp_path / f"out{suffix}"
    path.write_text("older")
    with pytest.raises(AttributeError):
        write(path, FIRST, "no table")
    assert [entry.read_text() for entry in tmp_path.iterdir()] == ["older"]


def test_nothing_at_the_path_before_the_end(tmp_path):
    with PredictionWriter(tmp_path / "out.csv") as writer:
        writer.write(FIRST)
        assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("name", ["out", "out.xlsx", "out.parquet.gz", ".csv"])
def test_kinds_that_cannot_be_written(tmp_path, name):
    with pytest.raises(SettingError, match=r"cannot be written to a file of this kind\. Got .* Accepted: \.csv, "):
        PredictionWriter(tmp_path / name)


def test_near_kind_is_named(tmp_path):
    with pytest.raises(SettingError, match=r"Did you mean \.parquet\?"):
        PredictionWriter(tmp_path / "out.parqet")


def test_paths_that_cannot_be_written(tmp_path):
    with pytest.raises(NotFoundError, match=r"gone/out.csv: The folder of this file does not exist\. Create it"):
        PredictionWriter(tmp_path / "gone" / "out.csv")
    (tmp_path / "out.csv").mkdir()
    with pytest.raises(ResourceError, match=r"The file cannot be written\. Got 'a folder has this name'"):
        write(tmp_path / "out.csv", FIRST)
    with pytest.raises(ResourceError, match=r"The file cannot be written\. Got 'File name too long'"):
        write(tmp_path / f"{'x' * 245}.csv", FIRST)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_file_that_may_not_grow_is_told(tmp_path, suffix):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(ResourceError, match=r"The file cannot be written\. Got .*File too large"):
            write(tmp_path / f"out{suffix}", pa.table({"text": [f"{n}" * 9 for n in range(9000)]}))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_parts_agree_in_their_columns(tmp_path, suffix):
    with pytest.raises(DataError, match=r"A part has other columns than the first\. Got \['a'\]\. Accepted: text, "):
        write(tmp_path / f"out{suffix}", FIRST, pa.table({"a": [1]}))
    assert list(tmp_path.iterdir()) == []


def test_parts_agree_in_their_types(tmp_path):
    with pytest.raises(DataError, match=r"A column changes its type from part to part.*Write \.csv or \.jsonl"):
        write(tmp_path / "out.parquet", pa.table({"a": [1]}), pa.table({"a": ["x"]}))
    assert list(tmp_path.iterdir()) == []
