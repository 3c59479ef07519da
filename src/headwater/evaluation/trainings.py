"""What one training differs from the next: the test returns of the policies of several trainings of one model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from headwater.evaluation.intervals import Estimate, figure, mean_of, percentile, redrawn

FEW: Final = 10
"""Of fewer trainings an interval is a rough one, and a reader is told so."""


@dataclass(frozen=True)
class Trainings:
    """Trainings with seeds of their own, all measured by the same test episodes; the chosen one is the first.

    Attributes:
        seeds: of each training.
        returns: of the test episodes of each, shape (trainings, episodes).
        choosing: the mean return of each in the episodes that chose between them.
        episodes: how many episodes chose.
        seed: of the resampling.

    Example:
        >>> found = Trainings([1, 0], np.array([[4.0, 6.0], [1.0, 3.0]]), [5.5, 2.5], 50)
        >>> found.section()["over"]["return"].value, found.section()["rows"][1]["chosen"]
        (3.5, True)
    """

    seeds: Sequence[int]
    returns: np.ndarray
    choosing: Sequence[float]
    episodes: int
    seed: int = 0

    def over(self) -> dict[str, Estimate]:
        """Of what one training is worth, its mean return: the mean and IQM over the trainings, their spread and ends.

        Intervals are of a bootstrap that draws whole trainings (Agarwal et al. 2021; there is one environment, so one
        stratum): episodes of one policy tell of that policy, however many they are, and nothing of the next one.
        """
        from headwater.evaluation.control import iqm

        each = self.returns.mean(axis=1)
        bounds = float(each.min()), float(each.max())
        return {
            "return": mean_of(each, self.seed),
            "return_iqm": percentile(iqm(each), iqm(redrawn(each, self.seed)), rows=len(each), bounds=bounds),
            "return_std": Estimate(float(each.std(ddof=1))),
            "return_lowest": Estimate(bounds[0]),
            "return_highest": Estimate(bounds[1]),
        }

    def section(self) -> dict[str, Any]:
        """What the report shows of the trainings, in the order of their seeds."""
        rows = [self._row(place) for place in range(len(self.seeds))]
        return {
            "count": len(rows), "chosen": self.seeds[0], "episodes": self.episodes, "over": self.over(),
            "rows": sorted(rows, key=lambda row: row["seed"]),
        }  # fmt: skip

    def sentences(self) -> list[str]:
        """Which numbers are of the one that was chosen, and which of all."""
        count, over = len(self.seeds), self.over()
        said = [
            f"These are of one policy, of the training with seed {self.seeds[0]}: the best of {count} trainings in "
            f"{self.episodes} episodes that chose between them; no test episode had a part in that.",
            f"One training, whichever it is: return {over['return']} as the mean over {count} trainings, IQM "
            f"{over['return_iqm']}, std {figure(over['return_std'].value)}, from {figure(over['return_lowest'].value)} "
            f"to {figure(over['return_highest'].value)}, each in the same test episodes.",
        ]
        if count < FEW:
            said.append(f"Intervals over {count} trainings are rough ones: give {FEW} or more to rely on them.")
        return said

    def _row(self, place: int) -> dict[str, Any]:
        returns = self.returns[place]
        return {
            "seed": self.seeds[place], "return": mean_of(returns, self.seed), "std": float(returns.std()),
            "lowest": float(returns.min()), "highest": float(returns.max()), "choosing": self.choosing[place],
            "chosen": place == 0,
        }  # fmt: skip
