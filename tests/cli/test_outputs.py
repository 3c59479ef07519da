"""Answers in parts, and places to write."""

import pyarrow as pa
import pytest

import headwater
from headwater.doors import outputs
from headwater.errors import NotFoundError, ResourceError, SettingError


def test_rows_are_numbered_through_all_parts(run):
    application = headwater.load(run)
    tables = list(outputs.answers(application, ["fine"] * 3))
    assert [row for table in tables for row in table.column("row").to_pylist()] == [1, 2, 3]


def test_an_unknown_column_to_keep_is_refused(run):
    with pytest.raises(NotFoundError, match=r"There is no column of this name. Got 'x'"):
        next(outputs.answers(headwater.load(run), ["fine"], ["x"]))


def test_head_asks_for_no_more_than_it_needs():
    asked = []

    def tables():
        for part in range(5):
            asked.append(part)
            yield pa.table({"row": [2 * part, 2 * part + 1]})

    assert outputs.head(tables(), 3).column("row").to_pylist() == [0, 1, 2]
    assert asked == [0, 1]


def test_free_takes_the_first_number_that_is_not_taken(tmp_path):
    assert outputs.free(tmp_path / "run") == tmp_path / "run"
    (tmp_path / "run").mkdir()
    (tmp_path / "run-2").mkdir()
    assert outputs.free(tmp_path / "run") == tmp_path / "run-3"


def test_a_folder_that_cannot_be_written_is_known_before_the_work(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ResourceError, match=r"The folder cannot be written.*Choose another folder with --to"):
        outputs.make_writable(tmp_path / "file" / "below")


@pytest.mark.parametrize("name", ["README.md", "report.json"])
def test_a_report_replaces_no_files_of_others(tmp_path, name):
    (tmp_path / name).write_text('{"metrics": {}}')
    with pytest.raises(SettingError, match=r"other files, which a report could replace.*Write the report to another"):
        outputs.make_writable(tmp_path)
    assert (tmp_path / name).read_text() == '{"metrics": {}}'


def test_a_report_replaces_an_earlier_one(run, tmp_path):
    headwater.load(run).report.save(tmp_path)
    outputs.make_writable(tmp_path)


def test_a_folder_that_cannot_be_looked_into_cannot_be_written(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    (tmp_path / "file").touch()
    monkeypatch.setattr(type(tmp_path), "iterdir", refuse)
    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    with pytest.raises(ResourceError, match=r"The folder cannot be written\. Got 'Permission denied'"):
        outputs.make_writable(tmp_path)
