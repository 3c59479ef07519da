"""What the contract runs on: every (task, model) of the catalog, each with tiny data and settings that train fast."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headwater import catalog

WORDS = {"good": ["fine", "warm", "bright", "clever", "lovely"], "bad": ["dull", "cold", "grim", "clumsy", "awful"]}


@dataclass(frozen=True)
class Entry:
    """A model under the contract."""

    task: str
    model: str
    settings: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.task}:{self.model}"

    @property
    def is_basic(self) -> bool:
        return self.model in {model.name for model in catalog.models(self.task)}


def texts(rows: int = 60) -> dict[str, list[Any]]:
    """Sentences whose class their words tell, no two of them near duplicates."""
    table: dict[str, list[Any]] = {"text": [], "label": []}
    for row in range(rows):
        label = ("good", "bad")[row % 2]
        words = WORDS[label]
        picked = " ".join(words[(row // 2 + step * (1 + row % 3)) % len(words)] for step in range(3))
        table["text"].append(f"{chr(97 + row % 26)}{row} {picked} {chr(98 + row % 24)}{row * 7} {row * 13}")
        table["label"].append(label)
    return table


DATA: dict[str, Callable[..., dict[str, list[Any]]]] = {"text-classification": texts}
"""For each task, a function that gives a small table which every model of the task can learn."""

FAST = {"epochs": 2, "batch_size": 8, "checkpoint_seconds": 0.0}


def entries(tiny_foundation: str = "tiny-foundation") -> list[Entry]:
    """Every basic model, every embedded foundation, and each strategy on a tiny foundation in a local folder."""
    from headwater.settings import STRATEGIES

    found = [Entry(model.task, model.name, FAST) for model in catalog.MODELS]
    for task in catalog.TASKS:
        found += [Entry(task.name, entry.name, {"strategy": "probe"}) for entry in catalog.FOUNDATIONS]
        found += [Entry(task.name, tiny_foundation, {**FAST, "strategy": strategy}) for strategy in STRATEGIES]
    return found


def blank(path: Path) -> bool:
    """Whether a folder has nothing in it, or does not exist."""
    return not path.exists() or not any(path.iterdir())
