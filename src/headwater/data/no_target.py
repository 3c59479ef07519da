"""What stands in the place of a target where a task learns from inputs alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from headwater.data.records import Records


@dataclass(frozen=True)
class NoTarget:
    """No column, no class, and nothing that a row could lack.

    Example:
        >>> import pyarrow as pa
        >>> records = Records(pa.table({"image": ["a.png", "b.png"]}))
        >>> NoTarget().cells(records), NoTarget().lacking(records), NoTarget().encode([None, None])[0].shape
        ([None, None], {}, (2, 0))
    """

    columns: tuple[str, ...] = ()
    classes: tuple[Any, ...] = ()
    several = True
    lack = ""

    def learn(self, cells: Sequence[Any]) -> NoTarget:
        return self

    def cells(self, records: Records) -> list[None]:
        return [None] * len(records)

    def encode(self, cells: Sequence[Any]) -> tuple[np.ndarray, dict[int, str]]:
        return np.zeros((len(cells), 0), np.float32), {}

    def lacking(self, records: Records) -> dict[int, str]:
        """Why rows have no target, by row: none wants one."""
        return {}
