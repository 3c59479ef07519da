"""How several environments are stepped: each by itself, or all in one operation where theirs is known."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from headwater.control.classic import MOTIONS, Motion
from headwater.control.guard import Closing, Guard, begun, observed, rewarded, stepped
from headwater.control.tabular import TABULAR, tabular_of
from headwater.control.world import World

Places = Sequence[int] | np.ndarray
"""Which environments."""
Answers = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""The raw observations that followed, rewards, whether episodes terminated, whether they were truncated."""


class Stepping(ABC):
    """So many environments, known by their places.

    Attributes:
        idle: the places whose action counted for nothing, as their episode only began; None where there are none.
    """

    idle: np.ndarray | None = None

    @abstractmethod
    def begin(self, places: Places, seeds: Sequence[int | None]) -> np.ndarray:
        """Begins an episode in each place: its first raw observations, shape (places, size).

        Args:
            places: which environments.
            seeds: of the chances from now on; None goes on with those that are.
        """

    @abstractmethod
    def step(self, places: Places, actions: np.ndarray) -> Answers:
        """Does a raw action in each place, shape (places, size of an action)."""

    @abstractmethod
    def frame(self, place: int) -> Any:
        """What an environment shows of itself."""

    @abstractmethod
    def close(self) -> None:
        """Lets the environments go."""


class OneByOne(Stepping):
    """Environments that are made and stepped one by one.

    Args:
        world: what to make.
        count: how many.
        render_mode: how they show themselves.
    """

    def __init__(self, world: World, count: int, render_mode: str | None) -> None:
        self.world = world
        self._envs: list[Any] = [world.make(render_mode) for _ in range(count)]
        self._stepping, self._resetting = Guard(world.name, "step"), Guard(world.name, "reset")

    def begin(self, places: Places, seeds: Sequence[int | None]) -> np.ndarray:
        found = []
        for place, seed in zip(places, seeds, strict=True):
            with self._resetting:
                given = self._envs[place].reset(seed=seed)
            value = begun(given, self.world.name)
            found.append(observed(value, self.world.observations, self.world.name))
        return np.stack(found)

    def step(self, places: Places, actions: np.ndarray) -> Answers:
        name, space, count = self.world.name, self.world.observations, len(places)
        after, rewards = np.empty((count, space.size), space.dtype), np.empty(count, np.float32)
        over, cut = np.empty(count, bool), np.empty(count, bool)
        for row, place in enumerate(places):
            with self._stepping:
                answer = self._envs[place].step(self.world.actions.value(actions[row]))
            value, reward, over[row], cut[row] = stepped(answer, name)
            rewards[row] = rewarded(reward, name)
            after[row] = observed(value, space, name)
        return after, rewards, over, cut

    def frame(self, place: int) -> Any:
        with Guard(self.world.name, "render"):
            return self._envs[place].render()

    def close(self) -> None:
        for env in self._envs:
            with Closing(self.world.name):
                env.close()


class Together(Stepping):
    """Environments whose motion is known, moved in one operation.

    Each has chances of its own, the same that Gymnasium draws by its seed, so that it does not matter who moves it.

    Args:
        motion: how they move.
        count: how many.

    Example:
        >>> from headwater.control.classic import CartPole
        >>> four = Together(CartPole(), 4)
        >>> four.begin(range(4), [0, 1, 2, 3]).shape, four.step([2], np.array([[1]]))[1].tolist()
        ((4, 4), [1.0])
    """

    def __init__(self, motion: Motion, count: int) -> None:
        self._motion = motion
        self._chances = [np.random.default_rng(place) for place in range(count)]
        example = motion.start(np.random.default_rng(0))
        self._states = np.zeros((count, *example.shape), np.result_type(example, np.int64))

    def begin(self, places: Places, seeds: Sequence[int | None]) -> np.ndarray:
        for place, seed in zip(places, seeds, strict=True):
            if seed is not None:
                self._chances[place] = np.random.default_rng(seed)
        # Seen before they are put among the others, as what Gymnasium shows first may be less exact.
        starts = np.stack([self._motion.start(self._chances[place]) for place in places])
        self._states[places] = starts
        return self._motion.seen(starts)

    def step(self, places: Places, actions: np.ndarray) -> Answers:
        draws = np.array([self._chances[place].random() for place in places] if self._motion.random else ())
        states, rewards, over = self._motion.move(self._states[places], actions, draws)
        self._states[places] = states
        return self._motion.seen(states), rewards, over, np.zeros(len(over), bool)

    def frame(self, place: int) -> Any:
        return None

    def close(self) -> None:
        """There is nothing to let go."""


def stepping_of(world: World, count: int, render_mode: str | None) -> Stepping:
    """The fastest way to step so many environments of a world; those that are to be seen are Gymnasium's own."""
    motion = None if render_mode else _motion(world)
    return OneByOne(world, count, render_mode) if motion is None else Together(motion, count)


def together(world: World) -> bool:
    """Whether all environments of a world are moved in one operation.

    Example:
        >>> from headwater.control.world import world_of
        >>> together(world_of("CartPole-v1")), together(world_of("CartPole-v1", ["sutton_barto_reward=true"]))
        (True, False)
    """
    return _motion(world) is not None


def _motion(world: World) -> Motion | None:
    """How a world of Gymnasium moves, where that is known; one that is changed in any way is left to Gymnasium."""
    spec = getattr(world.sample, "spec", None)
    if world.maker is not None or spec is None or spec.additional_wrappers:
        return None
    if spec.entry_point in TABULAR:
        return tabular_of(world.sample.unwrapped)
    known = spec.entry_point in MOTIONS and not world.options and _as_declared(world.sample.unwrapped, spec.kwargs)
    return MOTIONS[spec.entry_point]() if known else None


def _as_declared(env: Any, told: Mapping[str, Any]) -> bool:
    """Whether all that an id tells the making of its environment is what it takes by itself."""
    takes = inspect.signature(type(env).__init__).parameters
    return all(name in takes and takes[name].default == value for name, value in told.items())
