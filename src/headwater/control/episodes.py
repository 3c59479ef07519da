"""Whole episodes of an agent: what it is worth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from headwater.control.chance import Chance, generator
from headwater.control.world import World
from headwater.control.worlds import Worlds

Policy = Callable[[np.ndarray], np.ndarray]
"""Raw actions for raw observations."""
_AT_ONCE: Final = 100


@dataclass(frozen=True)
class Played:
    """Episodes, in the order of their seeds.

    Attributes:
        returns: the undiscounted sum of the rewards of each, shape (episodes,).
        lengths: the steps of each.
        terminated: whether each came to its end by itself and was not cut.
    """

    returns: np.ndarray
    lengths: np.ndarray
    terminated: np.ndarray

    def __add__(self, other: Played) -> Played:
        return Played(*(np.concatenate(pair) for pair in zip(vars(self).values(), vars(other).values(), strict=True)))


def play(world: World, policy: Policy, seeds: Sequence[int]) -> Played:
    """Plays one episode for each seed, several at a time.

    A seed decides the chances of its episode whatever else is played, so that two policies meet the same ones, and the
    short episodes of a bad policy do not come more often than the long ones.
    """
    # A vector environment cannot begin one episode by its seed while others run: it plays them all at once.
    worlds = Worlds(world, len(seeds) if world.vector else min(_AT_ONCE, len(seeds)), [0])
    returns, lengths = np.zeros(len(seeds)), np.zeros(len(seeds), dtype=np.int64)
    terminated = np.zeros(len(seeds), dtype=bool)
    places = np.arange(worlds.count)
    episodes, following = places.copy(), worlds.count
    now = worlds.begin(places, seeds[: worlds.count])
    while len(places):
        step = worlds.moves(places, policy(now))
        now = step.after.copy()
        returns[episodes] += step.rewards
        lengths[episodes] += 1
        over = np.flatnonzero(step.ended)
        if not len(over):
            continue
        terminated[episodes[over]] = step.terminated[over]
        # Where an episode is over the next one begins, as long as there are any; then the place stays empty.
        anew, empty = np.split(over, [len(seeds) - following])
        episodes[anew] = np.arange(following, following + len(anew))
        if len(anew):
            now[anew] = worlds.begin(places[anew], [seeds[episode] for episode in episodes[anew]])
        following += len(anew)
        places, episodes, now = (np.delete(rows, empty, axis=0) for rows in (places, episodes, now))
    worlds.close()
    return Played(returns, lengths, terminated)


def at_random(world: World, seed: int) -> Policy:
    """The policy that does anything: the baseline of every agent."""
    random = generator(seed, Chance.RANDOM_ACTIONS)
    return lambda raw: world.actions.sample(random, len(raw))
