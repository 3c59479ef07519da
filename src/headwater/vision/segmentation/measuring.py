"""Counting class maps beside the known ones, and the report of what was counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from headwater.data.mask_field import Mask
from headwater.data.masks import ClassMap
from headwater.evaluation.overlays import Overlays, legend
from headwater.evaluation.report import Report
from headwater.evaluation.segmentation import PRIMARY, MaskTally
from headwater.vision.locator import Scenes


class MaskMeasurement:
    """What is counted of class maps; memory grows with neither the pixels nor, beyond some thousands, the pictures.

    Args:
        target: the field of the masks, which names their classes.
    """

    def __init__(self, target: Mask) -> None:
        self._target, self._classes = target, tuple(target.classes)
        self._unseen: Counter[Any] = Counter()
        self._tally: MaskTally | None = None
        self._overlays = Overlays()

    @property
    def rows(self) -> int:
        """How many pictures were counted."""
        return self._tally.rows if self._tally else 0

    def update(self, scenes: Scenes, found: Mapping[str, Sequence[Any]], places: Sequence[str]) -> None:
        """Counts some pictures: the answers by the name of who gave them, the model first, and where each stands."""
        self._tally = self._tally or MaskTally(self._classes, tuple(found))
        model = next(iter(found))
        for row, (picture, answer, place) in enumerate(zip(scenes.inputs, scenes.answers, places, strict=True)):
            known = np.asarray(answer)
            if isinstance(answer, ClassMap):
                self._unseen.update(self._target.unseen(answer.mask))
            score = self._tally.update(known, {name: answers[row] for name, answers in found.items()})
            self._overlays.update(picture, known, found[model][row], score, place)

    def scores(self) -> np.ndarray:
        """The mean IoU of the model on each picture, shape (rows,)."""
        return np.array(self._tally.scores if self._tally else [])

    def report(self, *, seed: int, **sections: Any) -> Report:
        """The report of all that was counted; `sections` are further fields, task and model among them."""
        tally = self._tally or MaskTally(self._classes, ("model",))
        best = tally.best_baseline()
        return Report(
            metrics=tally.metrics(seed=seed),
            primary=PRIMARY,
            notes=self._notes(tally),
            per_class=tally.per_class(seed=seed),
            confusion=tally.confusion(),
            baselines=tally.baseline_metrics(seed=seed),
            gain=tally.gain(best, seed=seed).to_json() if best else None,
            pictures={"legend": legend(self._classes), "rows": self._overlays.rows(len(self._classes))},
            **sections,
        )

    def _notes(self, tally: MaskTally) -> list[str]:
        absent, notes = [str(name) for name in tally.absent], []
        if absent:
            shown = ", ".join(absent[:5]) + (f" and {len(absent) - 5} more" if len(absent) > 5 else "")
            notes.append(
                f"No test pixel is of the class {shown}: means leave {'it' if len(absent) == 1 else 'them'} out."
            )
        if self._unseen:
            named = ", ".join(str(name) for name in self._unseen)
            notes.append(
                f"{sum(self._unseen.values()):,} test pixels are of a class that no training row has ({named}): "
                "they count as void."
            )
        return notes
