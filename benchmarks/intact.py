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
    texts = {text for _, text, _ in known}
    shifted = [row for row in given if row[1] in texts and row[0] and row not in known and row not in seen]
    if shifted:
        return f"a text stands in another row's place: {shifted[0]}"
    changed = [
        row for row, answer in zip(given, answers, strict=True) if known.get(row) not in (None, answer["prediction"])
    ]
    return f"a row has another answer than in the clean file: {changed[0]}" if changed else None


def kept(row: dict[str, str]) -> Row:
    """The cells that `predict --keep` copied."""
    return row["id"], row["text"], row["label"]


def seen_in(file: Path) -> list[Row]:
    """The rows of three cells that Python's csv module finds before it gives up."""
    content = file.read_bytes()
    rows: list[Row] = []
    with contextlib.suppress(zlib.error, csv.Error):
        if content[:2] == GZIP:
            content = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(content)
        for row in csv.reader(io.StringIO(content.decode("utf-8-sig", "replace"), newline="")):
            if len(row) == 3:
                rows.append((row[0], row[1], row[2]))
    return rows
