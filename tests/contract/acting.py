"""Environments under the contract: what is asked is a table of observations, what is learnt in is a corridor."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from tests.contract.kinds import Kind, Table

_NO_TABLE = "what is learnt in is an environment, which has no columns and no rows"
_WORLDS = "tests.contract.worlds"
_OF_NUMBERS = ("ddpg",)
"""Models whose actions are numbers."""


def seen(rows: int) -> Table:
    """Places in the corridor with their goals, and the action that leads there."""
    random = np.random.default_rng(0)
    places = random.uniform(-0.9, 0.9, rows).round(6).tolist()
    goals = [(-1.0, 1.0)[row % 2] for row in range(rows)]
    return {"observation": list(zip(places, goals, strict=True)), "action": [int(goal > 0) for goal in goals]}


def elsewhere(rows: int) -> Table:
    """The same, seen from another place."""
    table = seen(rows)
    return {"observation": [(place + 0.9, goal) for place, goal in table["observation"]], "action": table["action"]}


def world(table: Table, model: str) -> str:
    """The environment that the observations of a table are of."""
    if max(place for place, _ in table["observation"]) > 1:
        return f"{_WORLDS}:Elsewhere"
    return f"{_WORLDS}:{'Slope' if model in _OF_NUMBERS else 'Corridor'}"


def write(table: Table, folder: Path) -> Path:
    """Lines of JSON."""
    folder.mkdir(parents=True)
    rows = (dict(zip(table, cells, strict=True)) for cells in zip(*table.values(), strict=True))
    (folder / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    return folder / "rows.jsonl"


def led(application: Any, table: Table) -> float:
    """The share of rows in which it goes toward the goal."""
    found = application.predict(table).labels
    up = [one[0] > 0 if isinstance(one, list) else one == 1 for one in found]
    return float(np.mean([one == (right == 1) for one, right in zip(up, table["action"], strict=True)]))


KIND = Kind(
    inputs="observation",
    target="action",
    table=seen,
    other=lambda rows: elsewhere(rows)["observation"],
    strangers=elsewhere,
    source=world,
    write=write,
    right=led,
    enough=0.9,
    strange={
        "an array": lambda: np.array([0.5, 1.0]),
        "text of a list": lambda: "[0.5, -1]",
        "whole numbers": lambda: [0, 1],
    },
    bad=lambda: [None, "words", [1.0], ["a", "b"], [0.1, None]],
    fast={"steps": 200, "episodes": 12, "evaluations": 2},
    learnt={"steps": 3000, "evaluations": 3},
    adapted=None,
    value=json.dumps,
    own={
        "hidden": (16,),
        "bins": 4,
        "warm_up": 32,
        "batch": 32,
        "rollout": 8,
        "passes": 10,
        "persistence": 3,
        "tau": 0.05,
    },
    strategies=(),
    without={
        "test_an_unknown_column_is_named": _NO_TABLE,
        "test_empty_data_is_refused": _NO_TABLE,
        "test_missing_targets_are_refused_where_one_is_wanted": _NO_TABLE,
    },
)
