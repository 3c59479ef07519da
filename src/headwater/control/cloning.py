"""Behaviour cloning: do what was shown, as far as rows that were held back say that it is learnt (Pomerleau 1989)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from headwater.control.agent import Agent
from headwater.control.chance import Chance, generator
from headwater.control.demonstrations import Demonstrations
from headwater.control.spaces import Box, Space
from headwater.options import counted

_BATCH, _PASSES, _PATIENCE = 64, 200, 10
_HELD, _MOST_HELD = 0.2, 5000


@dataclass(frozen=True)
class Cloned:
    """How an imitation went.

    Attributes:
        rows: that were imitated.
        held_out: rows that only told when to stop.
        agreement: on those, the share of actions that are the same; of numbers how near they come, from 0 to 1.
        passes: over the rows, after which the agreement was the highest.
    """

    rows: int
    held_out: int
    agreement: float
    passes: int

    def __str__(self) -> str:
        return (
            f"{counted(self.rows, 'demonstration')} imitated in {self.passes} pass{'es' * (self.passes != 1)}: "
            f"agreement {self.agreement:.4g} on {counted(self.held_out, 'row')} held out"
        )


def agreement(actions: Space, own: np.ndarray, done: np.ndarray) -> np.ndarray:
    """Whether actions are those that were done; of numbers, how near they come, from 0 to 1: shape (rows,).

    Example:
        >>> agreement(Box((1,), (-1.0,), (1.0,)), np.array([[0.5]]), np.array([[0.0]])).tolist()
        [0.75]
    """
    if not isinstance(actions, Box):
        return (own == done).all(axis=1).astype(np.float64)
    low, high = actions.ends
    reach = np.where(np.isfinite(high - low), high - low, 2.0)
    return 1 - np.clip(np.abs(own - done) / reach, 0, 1).mean(axis=1, dtype=np.float64)


def clone(agent: Agent, shown: Demonstrations, rate: float, seed: int, remaining: Callable[[], float]) -> Cloned:
    """Lets an agent imitate until the rows held out agree no more than before, and leaves it as it was at its best.

    Args:
        agent: one that `begin` has made ready.
        shown: what it is to do.
        rate: the learning rate.
        seed: of the rows that are held out, and of the order of the others.
        remaining: seconds that are left.
    """
    random = generator(seed, Chance.CLONING)
    learnt, held = divided(shown.episodes, random)
    agent.look(shown.now[learnt])
    best, at, kept = -1.0, 0, dict[str, np.ndarray]()
    for number in range(1, _PASSES + 1):
        order = random.permutation(learnt)
        for first in range(0, len(order), _BATCH):
            rows = order[first : first + _BATCH]
            agent.imitate(shown.now[rows], shown.actions[rows], rate)
        found = float(agreement(agent.actions, agent.act(shown.now[held]), shown.actions[held]).mean())
        if found > best:
            best, at = found, number
            kept = {name: values.copy() for name, values in agent.policy().items()}
        if number - at >= _PATIENCE or remaining() <= 0:
            break
    agent.follow(kept)
    return Cloned(len(learnt), len(held), best, at)


def divided(episodes: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The rows to imitate and those to hold out; episodes stay whole, for rows that follow one another are alike.

    Example:
        >>> learnt, held = divided(np.arange(10) // 2, np.random.default_rng(0))
        >>> len(learnt), len(held), len({row // 2 for row in held.tolist()})
        (8, 2, 1)
    """
    names, counts = np.unique(episodes, return_counts=True)
    wanted = max(1, min(_MOST_HELD, round(_HELD * len(episodes))))
    kept, size = list[int](), 0
    for name in random.permutation(len(names)):
        # One that would take more away than it brings nearer to what is wanted is left to learn from.
        if abs(size + counts[name] - wanted) < abs(size - wanted):
            kept.append(name)
            size += counts[name]
    if not kept or len(names) < 2:
        # Of a single episode, or of one that is nearly all there is, the end has to do.
        cut = len(episodes) - wanted
        return np.arange(cut), np.arange(cut, len(episodes))
    held = np.isin(episodes, names[kept])
    return np.flatnonzero(~held), np.flatnonzero(held)
