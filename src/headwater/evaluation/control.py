"""What was measured of agents: the returns of whole episodes, of an agent and of its baselines, by the same seeds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from headwater.evaluation.intervals import Estimate, Gain, mean_of, paired_gain, percentile, redrawn
from headwater.evaluation.trainings import Trainings

PRIMARY: Final = "return"


@dataclass(frozen=True)
class Agents:
    """The episodes of each who acted, by name, the model first; those of one place had the same seed.

    Attributes:
        returns: the undiscounted sum of the rewards of each episode, shape (episodes,).
        lengths: the steps of each episode.
        cut: the share of episodes that were cut off before their end.
        deterministic: whether the model took its best action, and drew none.
        notes: what else a reader must know.
        frames: pictures of one episode, as addresses.
        trainings: all trainings of the model, where it is the best of several.

    Example:
        >>> found = Agents({"dqn": np.array([9.0, 10.0]), "random": np.array([1.0, 3.0])}, {}, {})
        >>> found.metrics()["return"].value, found.gain().value
        (9.5, 7.5)
    """

    returns: Mapping[str, np.ndarray]
    lengths: Mapping[str, np.ndarray]
    cut: Mapping[str, float]
    deterministic: bool = True
    notes: list[str] = field(default_factory=list)
    frames: list[str] = field(default_factory=list)
    seed: int = 0
    trainings: Trainings | None = None

    def metrics(self) -> dict[str, Estimate]:
        """Every metric of the model."""
        return self._metrics(next(iter(self.returns)))

    def baseline_metrics(self) -> dict[str, dict[str, Estimate]]:
        """For every baseline the same metrics."""
        return {name: self._metrics(name) for name in list(self.returns)[1:]}

    def gain(self) -> Gain:
        """How much better than the best baseline the model is, by a paired bootstrap over the episodes."""
        model, *others = self.returns
        best = max(others, key=lambda name: float(self.returns[name].mean()))
        apart = self.returns[model] - self.returns[best]
        return paired_gain(best, PRIMARY, float(apart.mean()), redrawn(apart, self.seed).mean(axis=1))

    def section(self) -> dict[str, Any]:
        """What the page shows beside the metrics."""
        return {
            "count": len(next(iter(self.returns.values()))), "deterministic": self.deterministic,
            "returns": {name: np.sort(values) for name, values in self.returns.items()}, "frames": self.frames,
        }  # fmt: skip

    def sentences(self) -> list[str]:
        """How the episodes were played, and whatever a reader of the metrics must know."""
        how = "the best action it knows" if self.deterministic else "actions drawn from its policy"
        told = self.trainings.sentences() if self.trainings is not None else []
        return [f"Whole episodes with {how}, none of them met while learning or choosing.", *told, *self.notes]

    def _metrics(self, name: str) -> dict[str, Estimate]:
        returns = self.returns[name]
        bounds = float(returns.min()), float(returns.max())
        middles = iqm(redrawn(returns, self.seed))
        found = {
            PRIMARY: mean_of(returns, self.seed),
            "return_iqm": percentile(iqm(returns), middles, rows=len(returns), bounds=bounds),
            "return_std": Estimate(float(returns.std())),
            "return_lowest": Estimate(bounds[0]),
            "return_highest": Estimate(bounds[1]),
        }
        if name in self.lengths:
            found["episode_length"] = mean_of(self.lengths[name].astype(np.float64), self.seed)
            found["episodes_cut"] = Estimate(self.cut[name])
        return found


def iqm(returns: np.ndarray) -> Any:
    """The mean of the middle half, along the last axis: neither luck nor a single crash moves it (Agarwal et al. 2021).

    Example:
        >>> float(iqm(np.array([-100.0, 1.0, 3.0, 900.0])))
        2.0
    """
    count = returns.shape[-1]
    ordered = np.sort(returns, axis=-1)
    # The places at the edges of the middle half count by the part of them that is in it.
    places = np.arange(count)
    weights = np.clip(np.minimum(places + 1, 0.75 * count) - np.maximum(places, 0.25 * count), 0, None)
    found = (ordered * weights).sum(axis=-1) / weights.sum()
    return float(found) if np.ndim(found) == 0 else found
