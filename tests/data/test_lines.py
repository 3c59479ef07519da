import gzip
import zlib

import pytest

from headwater.data.lines import Blocks, Lines, open_lines
from headwater.errors import DataError


def test_line_ends_on_block_borders(tmp_path, monkeypatch):
    monkeypatch.setattr("headwater.data.lines._BLOCK", 1)
    path = tmp_path / "a.txt"
    path.write_bytes("a\r\nb\rc\n\nü\r".encode())
    assert list(open_lines(path, "utf-8")) == ["a\r\n", "b\r", "c\n", "\n", "ü\r"]


def test_overlong_lines_keep_only_what_shows_it(tmp_path, monkeypatch):
    monkeypatch.setattr("headwater.data.lines._BLOCK", 10)
    monkeypatch.setattr("headwater.data.lines.ROW_LIMIT", 50)
    path = tmp_path / "a.txt"
    path.write_text("short\n" + "x" * 1000 + "\nlast")
    first, long, last = open_lines(path, None)
    assert (first, last) == ("short\n", "last")
    assert 50 < len(long) < 80


def test_peeked_lines_come_again():
    lines = Lines(["a\n", "b\n", "c\n"])
    assert lines.peek(2) == ["a\n", "b\n"]
    assert (list(lines), lines.number) == (["a\n", "b\n", "c\n"], 3)


def test_damaged_gzip_is_refused(tmp_path):
    path = tmp_path / "a.csv.gz"
    packed = bytearray(gzip.compress(b"text,label\n" + b"a,b\n" * 100))
    packed[-6] ^= 255  # the checksum
    path.write_bytes(packed)
    with pytest.raises(DataError, match=r"a.csv.gz: The compressed data is damaged\. Got .* Compress it again"):
        open_lines(path, None)


def test_padding_after_gzip_is_no_content(tmp_path):
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(b"text") + b"\0" * 100)
    blocks = Blocks(path)
    assert (b"".join(blocks), blocks.cut) == (b"text", False)


def test_cut_is_known_at_the_end(tmp_path):
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(zlib.compress(b"text" * 100))[:-9])
    blocks = Blocks(path)
    list(blocks)
    assert blocks.cut


def test_file_that_cannot_be_opened(tmp_path):
    with pytest.raises(DataError, match=r"The file cannot be read\. Got 'No such file or directory'"):
        open_lines(tmp_path / "gone.csv", None)
