"""Images without labels under the contract."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from tests.contract import pictures
from tests.contract.kinds import Table

_MODELS = "headwater.vision.features.pretrainer.Pretrainer"


def known(application: Any, rows: Table) -> float:
    """Whether what has no label was learnt: 1 where rows are told apart by features that know their classes."""
    features = np.array(application.predict(rows).labels)
    labels = np.array(rows["label"])
    units = features - features.mean(axis=0)
    units /= np.linalg.norm(units, axis=1, keepdims=True)
    likeness = units @ units.T
    np.fill_diagonal(likeness, -1)
    return float(np.mean(labels[likeness.argmax(axis=1)] == labels))


KIND = replace(
    pictures.KIND,
    right=known,
    learnt={"epochs": 8, "patience": 20, "precision": "fp32"},
    adapted=None,
    smaller={f"{_MODELS}.epochs": 4, f"{_MODELS}.steps": 1},
    own={"width": 8, "projection": 32},
    strategies=(),
    foundation=None,
    cases={},
    needs_target=False,
)
