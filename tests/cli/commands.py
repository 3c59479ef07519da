"""Typing commands, and a small table of reviews to type them about."""

import csv
from pathlib import Path

from typer.testing import CliRunner, Result

from headwater.cli import app

GOOD = ("a warm and funny film", "wonderful acting and a fine story", "I loved every minute of it", "a joy to watch")
BAD = ("a dull and cold film", "terrible acting and a weak story", "I hated every minute of it", "a pain to watch")


def type_in(*words: object) -> Result:
    """What `headwater WORDS` says, without a new process."""
    return CliRunner().invoke(app, [str(word) for word in words])


def write_reviews(path: Path, *, rows: int = 80) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("review", "label"))
        for row in range(rows // 2):
            table.writerow((f"{GOOD[row % 4]}, said visitor {row * 7919 % 1009} of cinema {row}", "good"))
            table.writerow((f"{BAD[row % 4]}, said visitor {row * 6007 % 1013} of theatre {row}", "bad"))
    return path


def read_table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
