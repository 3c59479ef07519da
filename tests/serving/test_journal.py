"""Records on the disk before they are acknowledged."""

import json
import os
import resource
from contextlib import ExitStack, contextmanager

import pytest

from headwater.errors import RequestError, ResourceError
from headwater.serving.journal import Journal

MOST = 10_000


@pytest.fixture
def opened():
    """Opens a journal with some numbers added; all are closed in the end."""
    with ExitStack() as stack:

        def filled(folder, numbers=(), most=MOST, **given):
            journal = Journal(folder, most, **given)
            stack.callback(journal.close)
            for number in numbers:
                journal.add([{"n": number}]).result()
            return journal

        yield filled


def test_what_was_added_is_read_again_in_order(opened, tmp_path):
    journal = opened(tmp_path / "journal", range(5))
    journal.close()
    assert [record["n"] for record in opened(tmp_path / "journal").records()] == [0, 1, 2, 3, 4]


def test_it_goes_on_in_the_next_file_where_one_is_long_enough(opened, tmp_path):
    journal = opened(tmp_path, range(6), segment=16)
    assert [path.name for path in journal.files] == ["000001.jsonl", "000002.jsonl", "000003.jsonl"]
    journal.close()
    again = opened(tmp_path, [6], segment=16)
    assert [record["n"] for record in again.records()] == list(range(7))
    assert len(again.files) == 4


def test_the_names_of_all_new_folders_are_on_the_disk(opened, tmp_path, monkeypatch):
    synced = set()
    sync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda file: (synced.add(os.fstat(file).st_ino), sync(file)))
    journal = opened(tmp_path / "a" / "b" / "journal", [1])
    folders = [journal.folder, *journal.folder.parents][:4]
    assert folders[-1] == tmp_path
    assert {folder.stat().st_ino for folder in folders} <= synced


def test_many_records_that_come_at_once_share_a_write(opened, tmp_path, monkeypatch):
    synced = []
    sync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda file: (synced.append(file), sync(file)))
    journal = opened(tmp_path / "journal")
    futures = [journal.add([{"n": number}]) for number in range(200)]
    for future in futures:
        future.result()
    assert [record["n"] for record in journal.records()] == list(range(200))
    assert len(synced) < 100


def test_half_a_line_at_the_end_is_cut_off_and_a_damaged_one_is_left_out(opened, tmp_path, caplog):
    (tmp_path / "000001.jsonl").write_bytes(b'{"n":1}\n{"n":\n[2]\n{"n":3}\n{"n":4,"x')
    journal = opened(tmp_path)
    with caplog.at_level("WARNING", logger="headwater"):
        assert [record["n"] for record in journal.records()] == [1, 3]
    assert f"{tmp_path / '000001.jsonl'}:2: this line of the journal is damaged" in caplog.text
    journal.add([{"n": 5}]).result()
    journal.close()
    assert (tmp_path / "000001.jsonl").read_bytes().endswith(b'{"n":3}\n{"n":5}\n')


def test_a_full_journal_refuses_and_says_what_to_do(opened, tmp_path):
    journal = opened(tmp_path / "journal", most=20)
    journal.add([{"n": 1}]).result()
    with pytest.raises(RequestError, match="The journal of new interactions is full") as refused:
        journal.add([{"n": "x" * 20}])
    assert refused.value.status == 507
    assert "--journal-mib" in str(refused.value)
    journal.add([{"n": 2}]).result()


def test_a_write_that_fails_leaves_nothing_and_the_next_one_is_whole(opened, tmp_path, monkeypatch):
    journal = opened(tmp_path, [1])
    size = journal.size

    def fail(_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(ResourceError, match=r"New interactions cannot be written\. Got 'No space left"):
            journal.add([{"n": 2}]).result()
    assert journal.size == size
    journal.add([{"n": 3}]).result()
    assert [record["n"] for record in journal.records()] == [1, 3]


@contextmanager
def _room(size):
    """Files may not grow beyond a size: a write that does is cut short, and the next one fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_takes_a_part_acknowledges_nothing(opened, tmp_path):
    journal = opened(tmp_path, [1])
    size = journal.size
    with (
        _room(size + 3),
        pytest.raises(ResourceError, match=r"New interactions cannot be written\. Got 'File too large'"),
    ):
        journal.add([{"n": 2}]).result()
    assert journal.size == size
    assert journal.files[0].stat().st_size == size
    journal.add([{"n": 3}]).result()
    assert [record["n"] for record in journal.records()] == [1, 3]


def test_what_cannot_be_taken_back_is_cut_off_before_the_next_write(opened, tmp_path, monkeypatch):
    journal = opened(tmp_path, [1])

    def fail(*_):
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch, _room(journal.size + 3):
        patch.setattr(os, "ftruncate", fail)
        with pytest.raises(ResourceError, match="New interactions cannot be written"):
            journal.add([{"n": 2}]).result()
    assert journal.files[0].read_bytes() == b'{"n":1}\n{"n'
    journal.add([{"n": 3}]).result()
    assert [record["n"] for record in journal.records()] == [1, 3]


def test_two_that_began_before_there_was_a_folder_do_not_write_to_one(opened, tmp_path):
    first, second = opened(tmp_path / "journal"), opened(tmp_path / "journal")
    first.add([{"n": 1}]).result()
    with pytest.raises(ResourceError, match="Another server keeps new interactions here"):
        second.add([{"n": 2}]).result()
    assert second.size == 0


def test_a_folder_that_cannot_be_written_is_told(opened, tmp_path):
    (tmp_path / "lock").mkdir()
    with pytest.raises(ResourceError, match=r"New interactions cannot be written\. Got 'Is a directory'"):
        opened(tmp_path)


def test_two_do_not_write_to_one(opened, tmp_path):
    first = opened(tmp_path, [1])
    with pytest.raises(ResourceError, match="Another server keeps new interactions here"):
        opened(tmp_path)
    first.close()
    assert opened(tmp_path).size == 8


def test_its_files_are_interactions_that_adapt_reads(opened, tmp_path):
    from headwater.data import reading
    from headwater.settings import DataSettings

    journal = opened(tmp_path)
    journal.add([{"user": "u", "item": "i", "rating": 4.0}]).result()
    records = reading.read(str(journal.files[0]), DataSettings())
    assert json.loads(json.dumps(records.table.to_pylist())) == [{"user": "u", "item": "i", "rating": 4.0}]
