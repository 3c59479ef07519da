import gzip

import pytest

from headwater.data.reading import read, read_parts
from headwater.errors import DataError
from headwater.settings import DataSettings


def jsonl(tmp_path, content, name="data.jsonl", rows=None):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read(path, DataSettings()) if rows is None else list(read_parts(path, DataSettings(), rows=rows))


def test_bad_lines_are_problems_in_their_places(tmp_path):
    lines = ['{"text": "a"}', '{"text": "b"', "", "[1]", '{"text": "\\ud800"}', '{"text": "c\\u0000"}', "[" * 100_000]
    records = jsonl(tmp_path, "\n".join([*lines, '{"n": ' + "9" * 5000 + "}"]))
    assert records.column("text") == ["a", None, None, None, "c\0", None, None]
    reasons = [(problem.line, problem.reason) for problem in records.problems.values()]
    assert [(line, reason[:25]) for line, reason in sorted(reasons)] == [
        (2, "this is not JSON: Expecti"),
        (4, "this is JSON list, not an"),
        (5, "text that is not valid Un"),
        (7, "this JSON cannot be read:"),
        (8, "this JSON cannot be read:"),
    ]


def test_types_of_columns(tmp_path):
    rows = (
        '{"label": 1, "tags": ["a"], "mixed": 1, "deep": {"k": 1}, "score": 1}',
        '{"label": 0, "tags": [], "mixed": "b", "deep": null, "score": 0.5, "late": true, "gap": NaN}',
    )
    records = jsonl(tmp_path, "\n".join(rows))
    assert records.table.to_pylist() == [
        {"label": 1, "tags": ["a"], "mixed": "1", "deep": '{"k": 1}', "score": 1.0, "late": None, "gap": None},
        {"label": 0, "tags": [], "mixed": "b", "deep": None, "score": 0.5, "late": True, "gap": None},
    ]


@pytest.mark.parametrize("rows", [1, 2])
def test_every_part_has_the_columns_of_the_whole_file(tmp_path, rows):
    parts = jsonl(tmp_path, '{"a": 1}\n{"b": "x"}\n', rows=rows)
    whole = [row for part in parts for row in part.table.to_pylist()]
    assert whole == [{"a": 1, "b": None}, {"a": None, "b": "x"}]
    assert [line for part in parts for line in part.lines.tolist()] == [1, 2]


def test_a_first_part_without_an_object_costs_only_its_rows(tmp_path):
    parts = jsonl(tmp_path, 'a\n{}\n[1]\n{"text": "b"}\n', rows=1)
    assert [part.column("text") for part in parts] == [[None], [None], [None], ["b"]]
    assert [part.problems[0].reason[:12] for part in parts if part.problems] == ["this is not ", "this is JSON"]


def test_cut_gzip(tmp_path):
    whole = gzip.compress("\n".join(f'{{"text": "{n * 7919 % 1009}"}}' for n in range(3000)).encode())
    records = jsonl(tmp_path, whole[: len(whole) // 2], "data.jsonl.gz")
    assert records.column("text")[:2] == ["0", str(7919 % 1009)]
    assert [problem.reason for problem in records.problems.values()] == ["the compressed file is cut off here"]


def test_byte_order_mark(tmp_path):
    assert jsonl(tmp_path, b'\xef\xbb\xbf{"text": "a"}').column("text") == ["a"]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("", "The file is empty"),
        ("a,b\n1,2\n", "jsonl:1: No line holds an object: this is not JSON"),
        ("{}\n", "jsonl:1: No line holds an object: this one has no key"),
    ],
)
@pytest.mark.parametrize("rows", [None, 1])
def test_file_without_objects(tmp_path, content, what, rows):
    with pytest.raises(DataError, match=f"{what}.*Accepted: a JSON object"):
        jsonl(tmp_path, content, rows=rows)
