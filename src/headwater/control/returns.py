"""How much better an action was than expected: generalised advantages (Schulman et al. 2016)."""

from __future__ import annotations

import numpy as np

from headwater.control.worlds import Step


def advantages(
    steps: list[Step], worth: np.ndarray, following: np.ndarray, *, gamma: float, gae_lambda: float
) -> np.ndarray:  # fmt: skip
    """The advantage of every action of a rollout, float32 of shape (steps, envs).

    Where an episode terminated nothing follows; where it was cut, what would have followed keeps its worth, and in
    both cases the rewards of the next episode have no part.

    Args:
        steps: of all environments, one after the other.
        worth: what the critic held each observation for, shape (steps, envs).
        following: the same of the observation that followed, the last one of an ended episode included.
        gamma: what a reward a step later is worth.
        gae_lambda: how far rewards are trusted before the critic is: 0 for one step, 1 for all.

    Example:
        >>> last = Step(np.zeros((1, 1)), np.ones(1, np.float32), np.array([True]), np.array([True]))
        >>> advantages([last], np.zeros((1, 1)), np.full((1, 1), 9.0), gamma=0.9, gae_lambda=1.0).tolist()
        [[1.0]]
    """
    rewards, terminated, ended = (
        np.stack([getattr(step, name) for step in steps]) for name in ("rewards", "terminated", "ended")
    )
    surprise = rewards + gamma * following * ~terminated - worth
    carried, found = np.zeros(rewards.shape[1]), np.empty(rewards.shape, dtype=np.float32)
    for row in range(len(steps) - 1, -1, -1):
        carried = surprise[row] + gamma * gae_lambda * ~ended[row] * carried
        found[row] = carried
    return found
