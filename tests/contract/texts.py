"""Texts under the contract."""

from __future__ import annotations

import csv
from pathlib import Path

from tests.contract.kinds import Case, Kind, Table
from tests.tiny import make_bert

WORDS = {"good": ["fine", "warm", "bright", "clever", "lovely"], "bad": ["dull", "cold", "grim", "clumsy", "awful"]}
_SCRIPT = {"好": "喜欢 满意 精彩", "坏": "讨厌 失望 难看", "平": "一般 普通 还行"}
_OTHER = ("music", "story", "plot", "film")


def texts(rows: int = 60) -> Table:
    """Sentences whose class their words tell, no two of them near duplicates."""
    table: Table = {"text": [], "label": []}
    for row in range(rows):
        label = ("good", "bad")[row % 2]
        words = WORDS[label]
        picked = " ".join(words[(row // 2 + step * (1 + row % 3)) % len(words)] for step in range(3))
        table["text"].append(f"{chr(97 + row % 26)}{row} {picked} {chr(98 + row % 24)}{row * 7} {row * 13}")
        table["label"].append(label)
    return table


def _others(rows: int) -> list[str]:
    return [
        f"the {_OTHER[row % 4]} and the {_OTHER[row // 4 % 4]} {row * 17} {chr(97 + row % 26)}" for row in range(rows)
    ]


def _in_another_script() -> Case:
    labels = [list(_SCRIPT)[row % 3] for row in range(90)]
    inputs = [f"{_SCRIPT[label][row % 7 :]} 第{row}号{chr(0x4E00 + 37 * row)}" for row, label in enumerate(labels)]
    return {"文本": inputs, "标签": labels}, {"text": "文本", "target": "标签"}


def _pairs() -> Case:
    table = texts()
    data = {"left": table["text"], "right": table["text"][::-1], "label": table["label"]}
    return data, {"text": ("left", "right")}


def _copied() -> Case:
    return texts(), {"augment": "word-dropout,word-swap"}


def _write(table: Table, folder: Path) -> Path:
    folder.mkdir(parents=True)
    with (folder / "rows.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(table)
        rows.writerows(zip(*table.values(), strict=True))
    return folder / "rows.csv"


_NETWORKS = "headwater.language.classification.neural.NeuralClassifier"
_LEARNT = {"epochs": 20, "patience": 20, "learning_rate": 0.01}
KIND = Kind(
    inputs="text",
    table=texts,
    other=_others,
    write=_write,
    strange={
        "scripts": lambda: "🙂🙃 漢字 ελληνικά عربى",
        "long": lambda: "word " * 20_000,
        "invisible": lambda: "\u202e\u0000x",
        "one-word": lambda: "a" * 100_000,
        "signs": lambda: "?!",
    },
    bad=lambda: [None, "   "],
    fast={"epochs": 2, "batch_size": 8},
    learnt=_LEARNT,
    adapted=_LEARNT,
    smaller={f"{_NETWORKS}.epochs": 4, f"{_NETWORKS}.fewest_steps": 1},
    foundation=make_bert,
    cases={"three-classes": _in_another_script, "pairs": _pairs, "altered-copies": _copied},
)
