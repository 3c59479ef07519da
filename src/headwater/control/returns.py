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


def returns(rewards: np.ndarray, ended: np.ndarray, gamma: float) -> np.ndarray:
    """What the rewards so far add up to, each worth less the longer ago it was: float64 of shape (rows,).

    Their spread is what rewards are measured in where they are normalised.

    Args:
        rewards: of transitions in their order.
        ended: whether the next one begins anew.
        gamma: what a reward a step ago is worth.

    Example:
        >>> returns(np.ones(3), np.array([False, True, True]), 0.5).tolist()
        [1.0, 1.5, 1.0]
    """
    found, running = np.empty(len(rewards)), 0.0
    for row, (reward, over) in enumerate(zip(rewards.tolist(), ended.tolist(), strict=True)):
        found[row] = running = gamma * running + reward
        running = 0.0 if over else running
    return found
