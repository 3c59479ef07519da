"""Whole episodes of an agent: what it is worth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from headwater.control.world import World
from headwater.control.worlds import Worlds

Policy = Callable[[np.ndarray], np.ndarray]
"""Raw actions for raw observations."""
_AT_ONCE: Final = 25


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
    worlds = Worlds(world, min(_AT_ONCE, len(seeds)), [0])
    returns, lengths = np.zeros(len(seeds)), np.zeros(len(seeds), dtype=np.int64)
    terminated = np.zeros(len(seeds), dtype=bool)
    waiting, running = iter(range(len(seeds))), {}
    now = worlds.now
    for place in range(worlds.count):
        running[place] = next(waiting)
        now[place] = worlds.reset(place, seeds[running[place]])
    while running:
        places = list(running)
        for place, action in zip(places, policy(now[places]), strict=True):
            now[place], reward, over, ended = worlds.move(place, action)
            episode = running[place]
            returns[episode] += reward
            lengths[episode] += 1
            if ended:
                terminated[episode] = over
                following = next(waiting, None)
                if following is None:
                    del running[place]
                else:
                    running[place] = following
                    now[place] = worlds.reset(place, seeds[following])
    worlds.close()
    return Played(returns, lengths, terminated)


def at_random(world: World, seed: int) -> Policy:
    """The policy that does anything: the baseline of every agent."""
    random = np.random.default_rng([seed, 7])
    return lambda raw: world.actions.sample(random, len(raw))
