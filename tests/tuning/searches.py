"""Small searches, and the script that the tests of killed searches start."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import Any

from tests.contract.texts import WORDS, texts
from tests.contract.worlds import Corridor

from headwater.evaluation.intervals import Estimate
from headwater.tuning.dimension import Point
from headwater.tuning.trials import COMPLETE, Outcome

FAST: dict[str, Any] = {"model": "cnn", "epochs": 2, "filters": 4, "widths": "3", "embedding": 32, "valid_share": 0.3,
                        "device": "cpu"}  # fmt: skip
"""A network that trains in a moment; learning rate, batch size and the like are left to search."""
LINEAR = "tfidf-logistic,tfidf-svm"
"""A search of two points, without torch."""


def write_rows(path: Path, *, rows: int = 60, noise: bool = False) -> Path:
    """A table of texts and labels; with noise, every fourth label is wrong, so that scores differ."""
    table = texts(rows)
    if noise:
        table["label"] = [list(WORDS)[row % 2 if row % 4 else row % 3 % 2] for row in range(rows)]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(table)
        writer.writerows(zip(*table.values(), strict=True))
    return path


def outcome(number: int, score: float | None = 0.5, **changes: Any) -> Outcome:
    """What came of a trial, with no more than a score."""
    values = changes.pop("values", {})
    estimate = Estimate(float("nan") if score is None else score)
    state = changes.pop("state", COMPLETE)
    return Outcome(
        number, Point("cnn", values), state, changes.pop("seconds", 1.0), score=score, estimate=estimate, **changes
    )


class Fines(Corridor):
    """Each step costs, so that every return is far below zero."""

    def step(self, action: Any) -> Any:
        seen, reward, *rest = super().step(action)
        return seen, reward - 9.0, *rest


class Fixed:
    """Gives the lower end, the upper end or the middle of everything that it is asked for."""

    def __init__(self, share: float) -> None:
        self.share, self.asked = share, []

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        self.asked.append(name)
        return low * (high / low) ** self.share if log else low + self.share * (high - low)

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        self.asked.append(name)
        return low + step * round(self.share * (high - low) / step)

    def suggest_categorical(self, name: str, choices: Any) -> Any:
        self.asked.append(name)
        return choices[round(self.share * (len(choices) - 1))]


if __name__ == "__main__":
    from headwater.tuning.tune import tune

    tune("text-classification", sys.argv[1], to=sys.argv[2], trials=8, **FAST)
