"""Which rows of a damaged file are intact, and whether they came out of a prediction as they should."""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import zlib
from pathlib import Path

Row = tuple[str, str, str]
"""The cells id, text and label."""

Answers = dict[Row, str]
"""The prediction of each row of the clean file."""

GZIP = gzip.compress(b"")[:2]


def row_fault(answers: list[dict[str, str]], seen: list[Row], known: Answers) -> str | None:
    """What is wrong with the rows of an answer, if anything; `seen` are the rows that a plain reader finds."""
    if [row["row"] for row in answers] != [str(number) for number in range(1, len(answers) + 1)]:
        return "the row numbers have a gap"
    given = [kept(row) for row in answers]
    intact = [row for row in seen if row in known]
    expected = set(intact)
    if [row for row in given if row in expected] != intact:
        return "an intact row is lost, doubled or out of its place"
    shifted = [row for row in given if row not in seen and _is_mixed(row, known)]
    if shifted:
        return f"a text stands in another row's place: {shifted[0]}"
    changed = [
        row for row, answer in zip(given, answers, strict=True) if known.get(row) not in (None, answer["prediction"])
    ]
    return f"a row has another answer than in the clean file: {changed[0]}" if changed else None


def _is_mixed(row: Row, known: Answers) -> bool:
    """Whether two cells that stand in the clean file stand side by side only here; a damaged cell stands nowhere."""
    pairs = [(0, 1), (1, 2)]
    cells = [{clean[column] for clean in known} for column in range(3)]
    beside = [{(clean[left], clean[right]) for clean in known} for left, right in pairs]
    return any(
        row[left] in cells[left] and row[right] in cells[right] and (row[left], row[right]) not in known_pairs
        for (left, right), known_pairs in zip(pairs, beside, strict=True)
    )


def kept(row: dict[str, str]) -> Row:
    """The cells that `predict --keep` copied."""
    return row["id"], row["text"], row["label"]


def seen_in(file: Path) -> list[Row]:
    """The rows of three cells that Python's csv module finds before it gives up, and that it would write as they stand.

    It forgives wrong quoting here and there; a row that it reads so is damaged all the same, and may be set aside.
    """
    content = file.read_bytes()
    rows: list[Row] = []
    with contextlib.suppress(zlib.error, csv.Error):
        if content[:2] == GZIP:
            content = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(content)
        lines = io.StringIO(content.decode("utf-8-sig", "replace"), newline="")
        consumed: list[str] = []
        for row in csv.reader(consumed.append(line) or line for line in lines):
            if len(row) == 3 and "".join(consumed).rstrip("\r\n") == _written(row):
                rows.append((row[0], row[1], row[2]))
            consumed.clear()
    return rows


def _written(row: list[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(row)
    return line.getvalue()
