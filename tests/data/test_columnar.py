from datetime import datetime

import pyarrow as pa
import pytest
from pyarrow import parquet

from headwater.data.reading import read, read_parts
from headwater.errors import DataError
from headwater.settings import DataSettings

TABLE = pa.table({
    "text": pa.array(["a", None, "c"], pa.large_string()),
    "label": pa.array(["x", "y", "x"]).dictionary_encode(),
    "time": pa.array([datetime(2020, 1, 1)] * 3, pa.timestamp("ns")),
    "score": pa.array([0.5, float("nan"), 1]),
    "tags": [["a"], [], None],
})  # fmt: skip


def write(path, table=TABLE):
    if path.suffix == ".parquet":
        parquet.write_table(table, path)
    elif path.suffix == ".ipc":
        with pa.ipc.new_stream(path, table.schema) as stream:
            stream.write_table(table)
    else:
        with pa.ipc.new_file(path, table.schema) as file:
            file.write_table(table)
    return path


@pytest.mark.parametrize("suffix", ["parquet", "arrow", "feather", "ipc"])
def test_arrow_types_become_plain(tmp_path, suffix):
    path = write(tmp_path / f"data.{suffix}")
    records = read(path, DataSettings())
    assert records.table.to_pylist()[1] == {
        "text": None, "label": "y", "time": datetime(2020, 1, 1), "score": None, "tags": []
    }  # fmt: skip
    assert (records.name, records.files, records.lines.tolist()) == (path.name, (str(path),), [1, 2, 3])
    assert [part.lines.tolist() for part in read_parts(path, DataSettings(), rows=2)] == [[1, 2], [3]]


@pytest.mark.parametrize("suffix", ["parquet", "arrow", "ipc"])
def test_no_rows_keep_their_columns(tmp_path, suffix):
    records = read(write(tmp_path / f"data.{suffix}", TABLE.slice(0, 0)), DataSettings())
    assert (len(records), records.columns) == (0, TABLE.column_names)


@pytest.mark.parametrize("suffix", ["parquet", "arrow", "ipc"])
@pytest.mark.parametrize("keep", [0, 3, 100, -9])
def test_damaged_files(tmp_path, suffix, keep):
    path = write(tmp_path / f"data.{suffix}")
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DataError, match=f"data.{suffix}: The file cannot be read as {suffix}.*Write it again"):
        read(path, DataSettings())


def test_flipped_bytes_are_read_or_refused(tmp_path):
    content = write(tmp_path / "data.parquet").read_bytes()
    refused = 0
    for place in range(0, len(content), 97):
        (tmp_path / "flip.parquet").write_bytes(content[:place] + bytes([content[place] ^ 255]) + content[place + 1 :])
        try:
            assert len(read(tmp_path / "flip.parquet", DataSettings())) == 3
        except DataError:
            refused += 1
    assert refused > 0


def test_columns_of_one_name(tmp_path):
    table = pa.table([pa.array([1]), pa.array([2])], names=["a", "a"])
    with pytest.raises(DataError, match=r"The table names a column more than once\. Got \['a'\]"):
        read(write(tmp_path / "data.arrow", table), DataSettings())


@pytest.mark.parametrize(
    ("suffix", "kind"), [(".parquet", pa.binary()), (".arrow", pa.large_binary()), (".arrow", pa.binary_view())]
)
def test_bytes_have_one_type(tmp_path, suffix, kind):
    records = read(write(tmp_path / f"a{suffix}", pa.table({"image": pa.array([b"one", None], kind)})), DataSettings())
    assert records.table.schema.field("image").type == pa.large_binary()
    assert records.column("image") == [b"one", None]


def test_images_of_the_hub_stay_as_they_are(tmp_path):
    cells = [{"bytes": b"one", "path": "a.png"}, None]
    assert read(write(tmp_path / "a.parquet", pa.table({"image": cells})), DataSettings()).column("image") == cells
