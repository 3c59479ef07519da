"""What the contract runs on: every (task, model) of the catalog, each with tiny data and settings that train fast."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from tests.contract import acting, boxes, interactions, masks, pictures, texts, unlabelled
from tests.contract.kinds import Kind

from headwater import catalog

DATA: dict[str, Kind] = {
    "text-classification": texts.KIND, "image-classification": pictures.KIND, "object-detection": boxes.KIND,
    "semantic-segmentation": masks.KIND, "image-features": unlabelled.KIND,
    "recommendation": interactions.KIND, "control": acting.KIND,
}  # fmt: skip
"""For each task, the tables that every model of the task can learn, and what else its inputs can be."""

ROWS = 60
TINY = "tiny-foundation"
"""Stands for the folder of a tiny foundation, which is made when a test first asks for it."""


@dataclass(frozen=True)
class Entry:
    """A model under the contract."""

    task: str
    model: str
    settings: dict[str, Any] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        return "-".join(filter(None, (self.task, self.model, self.settings.get("strategy"))))

    @property
    def is_basic(self) -> bool:
        return self.model in {model.name for model in catalog.models(self.task)}

    @property
    def kind(self) -> Kind:
        return DATA[self.task]


def entries(task: str | None = None, *, output: str | None = None) -> list[Entry]:
    """Every basic model, every embedded foundation, and each strategy on a tiny foundation in a local folder.

    Of one task, or of the tasks that answer with a field of this kind, where asked.
    """
    found: list[Entry] = []
    for one in catalog.TASKS:
        if output is not None and output not in one.outputs:
            continue
        kind = DATA[one.name]
        found += [Entry(one.name, model.name, dict(kind.fast)) for model in catalog.models(one.name)]
        probe = {**kind.seen, "strategy": "probe"}
        found += [Entry(one.name, entry.name, probe) for entry in catalog.foundations(one.name)]
        if one.foundation is not None:
            found += [Entry(one.name, TINY, {**kind.fast, "strategy": strategy}) for strategy in kind.strategies]
    return [entry for entry in found if task in (None, entry.task)]


def models_of(found: list[Entry]) -> list[Entry]:
    """Each model of some entries once, without the settings that it learns with."""
    return list({(one.task, one.model): replace(one, settings={}) for one in found}.values())


def with_case(name: str) -> pytest.MarkDecorator:
    """Runs a test on the entries whose kind of input has a case of this name, and on no other."""
    fitting = [entry for entry in entries() if name in entry.kind.cases]
    return pytest.mark.parametrize("entry", fitting, ids=str, indirect=True)
