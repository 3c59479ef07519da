import csv
import gzip
import io
import random
import tracemalloc

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headwater.data.reading import read, read_parts
from headwater.errors import DataError, SettingError
from headwater.settings import DataSettings

QUICK = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
CELL = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from('\n\r\t\f"'), max_size=12)


def table(tmp_path, content, name="data.csv", **options):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read(path, DataSettings(**options))


def rows_of(records):
    return [tuple(row.values()) for row in records.table.to_pylist()]


def reasons_of(records):
    return {problem.line: problem.reason for problem in records.problems.values()}


def test_each_record_knows_its_first_line(tmp_path):
    records = table(tmp_path, 'text,label\n\n"two\nlines",a\nplain,b\n')
    assert rows_of(records) == [("two\nlines", "a"), ("plain", "b")]
    assert records.lines.tolist() == [3, 5]
    assert records.files == (str(tmp_path / "data.csv"),)


def test_empty_cells_are_null_and_blank_ones_are_not(tmp_path):
    assert rows_of(table(tmp_path, 'text,label\n,a\n" ",""\n')) == [(None, "a"), (" ", None)]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_is_found_by_content(tmp_path, delimiter):
    content = io.StringIO()
    csv.writer(content, delimiter=delimiter).writerows(
        [["text", "label"], ["one, two; three", "a"], ['she said "x|y"', "b"]]
    )
    records = table(tmp_path, content.getvalue())
    assert rows_of(records) == [("one, two; three", "a"), ('she said "x|y"', "b")]


def test_delimiter_setting_overrules_content(tmp_path):
    records = table(tmp_path, "a;b,c\n1;2,3\n", delimiter=";")
    assert rows_of(records) == [("1", "2,3")]
    assert table(tmp_path, "a,b\tc\n1,2\t3\n", delimiter="\\t").columns == ["a,b", "c"]


@pytest.mark.parametrize("delimiter", ["", "ab", '"', "\n"])
def test_a_delimiter_is_one_character(tmp_path, delimiter):
    with pytest.raises(SettingError, match=r"--delimiter: The delimiter must be one character\. Got"):
        table(tmp_path, "a,b\n1,2\n", delimiter=delimiter)


def test_single_column_keeps_commas(tmp_path):
    assert rows_of(table(tmp_path, 'text\nwell, yes\n"quoted, too"\n')) == [("well, yes",), ("quoted, too",)]


def test_tab_separated_quotes_that_enclose_nothing_are_characters(tmp_path):
    records = table(tmp_path, 'text\tlabel\n"well" he said\ta\n"so it goes\tb\n', "data.tsv")
    assert rows_of(records) == [('"well" he said', "a"), ('"so it goes', "b")]
    records = table(tmp_path, 'text\tlabel\n"a\tb"\ta\n"c\nd"\tb\n', "data.tsv")
    assert rows_of(records) == [("a\tb", "a"), ("c\nd", "b")]


def test_header_is_cleaned(tmp_path):
    assert table(tmp_path, "\ufefftext , label\nx,y\n", encoding="utf-8").columns == ["text", "label"]


def test_headers_that_cannot_be_used(tmp_path):
    with pytest.raises(DataError, match=r"data.csv:1: The header names a column more than once. Got \['a'\]. Rename"):
        table(tmp_path, "a,b,a\n1,2,3\n")
    with pytest.raises(DataError, match=r"2 columns of the header without a name: 1, 3. Name every column"):
        table(tmp_path, ",b, \n1,2,3\n")
    with pytest.raises(DataError, match="The header cannot be read: wrong quoting"):
        table(tmp_path, 'a,"b\n1,2\n3,4\n', delimiter=",")
    with pytest.raises(DataError, match="The file is empty"):
        table(tmp_path, "\n\n")


def test_header_alone_gives_columns_without_rows(tmp_path):
    records = table(tmp_path, "text,label\n")
    assert (len(records), records.columns) == (0, ["text", "label"])


def test_bad_rows_are_problems_in_their_places(tmp_path):
    records = table(
        tmp_path,
        b'text,label\na,b\nc\nd,e,f\ng\xff\xff,h\ni\0,j\n"k"l,m\n\xe4\xbd\xa0\xe5\xa5\xbd\xe5\x90\x97\xe6\x88\x91\xe4\xbb\xac\xe9\x83\xbd\xe5\xa5\xbd,p\n',
    )
    assert rows_of(records)[0] == ("a", "b")
    assert rows_of(records)[-1] == ("你好吗我们都好", "p")
    assert rows_of(records)[1:-1] == [(None, None)] * 5
    assert reasons_of(records) == {
        3: "1 cell instead of 2",
        4: "3 cells instead of 2",
        5: "bytes that are not text in this file's encoding",
        6: "a NUL byte, which no text holds",
        7: "wrong quoting: ',' expected after '\"'",
    }  # fmt: skip


def test_unclosed_quote_costs_one_row(tmp_path):
    lines = [f"text {i},{i}\n" for i in range(12_000)]
    lines[5] = 'text,"5\n'
    records = table(tmp_path, "text,id\n" + "".join(lines))
    assert reasons_of(records) == {7: "wrong quoting: unexpected end of data"}
    assert len(records) == 12_000
    assert rows_of(records)[6:] == [(f"text {i}", str(i)) for i in range(6, 12_000)]


def test_quote_that_runs_into_the_next_rows_gives_them_back(tmp_path):
    records = table(tmp_path, 'text,id\na,"1\nb,2\nc,"",3\nd,4\n')
    assert reasons_of(records)[2].startswith("wrong quoting")
    assert ("b", "2") in rows_of(records)
    assert ("d", "4") in rows_of(records)


def test_ragged_row_of_several_lines_is_one_problem(tmp_path):
    records = table(tmp_path, 'text,id\n"a\nb",1,more\nc,2\n')
    assert reasons_of(records) == {2: "3 cells instead of 2"}
    assert rows_of(records) == [(None, None), ("c", "2")]


def test_damage_on_a_later_line_of_a_row_is_that_rows(tmp_path):
    records = table(tmp_path, b'text,id\n"a\nb\0c",1\nd,2\n')
    assert (reasons_of(records), rows_of(records)[1]) == ({2: "a NUL byte, which no text holds"}, ("d", "2"))


@pytest.mark.parametrize("cell", ["x" * (11 * 2**20), '"' + f"{'x' * 50_000}\n" * 220 + '"'])
def test_huge_cell_is_a_problem(tmp_path, cell):
    records = table(tmp_path, f"text,id\na,1\n{cell},2\nb,3\n")
    assert rows_of(records)[0] == ("a", "1")
    assert rows_of(records)[-1] == ("b", "3")
    assert 1 in records.problems


def test_big_cell_below_the_limit_is_read(tmp_path):
    text = "line, of text\n" * 9000
    assert rows_of(table(tmp_path, f'text,id\n"{text}",1\n')) == [(text, "1")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(tmp_path, end):
    records = table(tmp_path, end.join(["text,id", '"a\r\nb",1', "c,2"]))
    assert rows_of(records) == [("a\r\nb", "1"), ("c", "2")]


def test_cut_gzip_keeps_the_rows_before_the_cut(tmp_path):
    chance = random.Random(0)
    rows = [(f"{chance.getrandbits(200):x}", str(i)) for i in range(5000)]
    content = gzip.compress("".join(["text,id\n", *(f"{a},{b}\n" for a, b in rows)]).encode())
    records = table(tmp_path, content[: len(content) // 2], "data.csv.gz")
    found = rows_of(records)
    assert 1000 < len(found) < 4000
    assert found[:-1] == rows[: len(found) - 1]
    assert reasons_of(records) == {len(found) + 1: "the compressed file is cut off here"}


def test_gzip_in_two_members_is_one_file(tmp_path):
    content = gzip.compress(b"text,id\na,1\n") + gzip.compress(b"b,2\n")
    assert rows_of(table(tmp_path, content, "data.csv.gz")) == [("a", "1"), ("b", "2")]


@QUICK
@given(
    rows=st.lists(st.tuples(CELL, CELL, CELL), max_size=30),
    size=st.integers(1, 12),
    quoting=st.sampled_from([0, 1]),
    packed=st.booleans(),
    delimiter=st.sampled_from(",;\t|"),
)
def test_written_cells_come_back(tmp_path, rows, size, quoting, packed, delimiter):
    content = io.StringIO()
    csv.writer(content, delimiter=delimiter, quoting=quoting).writerows([("a", "b", "c"), *rows])
    data = content.getvalue().encode()
    path = tmp_path / "data.csv"
    path.write_bytes(gzip.compress(data) if packed else data)
    options = DataSettings(delimiter=delimiter)
    whole = read(path, options)
    assert rows_of(whole) == [tuple(cell or None for cell in row) for row in rows]
    assert not whole.problems
    parts = list(read_parts(path, options, rows=size))
    assert [row for part in parts for row in rows_of(part)] == rows_of(whole)
    assert [line for part in parts for line in part.lines.tolist()] == whole.lines.tolist()
    assert all(len(part) <= size for part in parts)


@QUICK
@given(data=st.data(), seed=st.integers(0, 10**6))
def test_damaged_lines_leave_the_others_as_they_were(tmp_path, data, seed):
    chance = random.Random(seed)
    cells = ["plain", "ünïcode 你好", '"quoted"', '"with ""escapes"", and commas"', '"a, b"', "5 feet", '""']
    lines = [f"{chance.choice(cells)},{chance.choice(cells)},{i}".encode() for i in range(40)]
    wrong = data.draw(st.sets(st.integers(0, 39), min_size=1, max_size=3), label="lines")
    path = tmp_path / "data.csv"
    whole = b"\n".join([b"a,b,id", *lines])
    path.write_bytes(whole)
    before = rows_of(read(path, DataSettings(encoding="utf-8")))
    for number in wrong:
        at = chance.randrange(len(lines[number]))
        damage = bytes(chance.choice([b for b in range(256) if b not in b'\r\n"']) for _ in range(3))
        lines[number] = lines[number][:at] + damage + lines[number][at:]
    path.write_bytes(b"\n".join([b"a,b,id", *lines]))
    records = read(path, DataSettings(encoding="utf-8", delimiter=","))
    after = rows_of(records)
    at_line = dict(zip(records.lines.tolist(), after, strict=True))
    assert [at_line[i + 2] for i in range(40) if i not in wrong] == [before[i] for i in range(40) if i not in wrong]


@QUICK
@given(number=st.integers(0, 39), at=st.integers(0, 60), seed=st.integers(0, 10**6))
def test_one_stray_quote_leaves_the_other_rows(tmp_path, number, at, seed):
    chance = random.Random(seed)
    cells = ["plain", '"quoted"', '"with ""escapes"" inside"', "5 feet"]
    lines = [f"{chance.choice(cells)},{chance.choice(cells)},{i}" for i in range(40)]
    path = tmp_path / "data.csv"
    path.write_text("\n".join(["a,b,id", *lines]))
    before = rows_of(read(path, DataSettings()))
    lines[number] = lines[number][:at] + '"' + lines[number][at:]
    path.write_text("\n".join(["a,b,id", *lines]))
    after = rows_of(read(path, DataSettings()))
    assert [row for i, row in enumerate(after) if i != number] == [row for i, row in enumerate(before) if i != number]


def test_memory_of_parts_does_not_grow_with_the_file(tmp_path):
    path = tmp_path / "long.csv"
    row = f"{'a text of some words ' * 20},good\n"
    path.write_text("text,label\n" + row * 30_000)
    parts = read_parts(path, DataSettings(), rows=2000)
    next(parts)
    tracemalloc.start()
    total = 2000 + sum(len(part) for part in parts)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total == 30_000
    assert peak < 8_000_000  # the file has 13 million
