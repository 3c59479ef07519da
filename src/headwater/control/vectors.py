"""A vector environment of the user's own: one object that steps many episodes, and begins them anew in its own way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from headwater.control.guard import Closing, Guard, begun, ended, five, observed, rewarded
from headwater.control.stepping import Answers, Places, Stepping
from headwater.control.world import World
from headwater.errors import DataError

_MODES: Final = ("NextStep", "SameStep", "Disabled")
_WHERE: Final = "https://farama.org/Vector-Autoreset-Mode"


class Vectors(Stepping):
    """The environments of one `gymnasium.vector.VectorEnv`, in each of its three autoreset modes.

    `NEXT_STEP` spends a step on beginning an episode, whose action counts for nothing: the place is `idle` in it.
    `SAME_STEP` gives the first observation of the next episode, and hides the last one of the old among its infos.
    `DISABLED` waits to be told which places are to begin. In the first two an episode that is cut from outside goes on
    within, as there is no way to tell them.

    Args:
        world: what to make, a class that derives from `VectorEnv`.
        count: how many environments.
        render_mode: how they show themselves.

    Raises:
        DataError: it does not say which mode it has.
    """

    def __init__(self, world: World, count: int, render_mode: str | None) -> None:
        self.world, self._count, self._env = world, count, world.make(render_mode, count=count)
        found = (getattr(self._env, "metadata", None) or {}).get("autoreset_mode")
        self._mode = getattr(found, "value", found)
        if self._mode not in _MODES:
            raise DataError(
                "The vector environment does not tell how it begins episodes anew", where=world.name, got=found,
                accepted='metadata["autoreset_mode"]: gymnasium.vector.AutoresetMode.NEXT_STEP, SAME_STEP or DISABLED',
                fix=f"Set it in the class; {_WHERE} says what each means.",
            )  # fmt: skip
        self._over, self._first = np.zeros(count, bool), np.empty(0)

    def begin(self, places: Places, seeds: Sequence[int | None]) -> np.ndarray:
        if len(places) == self._count and seeds[0] is not None:
            # All chances of a vector environment come from one number.
            self._reset(seed=int(seeds[0]))
        elif self._mode == "Disabled":
            self._renew(np.asarray(places))
        return self._first[places]

    def step(self, places: Places, actions: np.ndarray) -> Answers:
        if self._mode == "Disabled" and self._over.any():
            self._renew(np.flatnonzero(self._over))
        # Those that nobody asks for any more go on as they did last.
        self._actions = actions.copy() if len(places) == self._count else self._actions
        self._actions[places] = actions
        with Guard(self.world.name, "step"):
            answer = self._env.step(self._batch(self._actions))
        values, given, over, cut, infos = five(answer, self.world.name)
        seen, rewards = self._seen(values), np.array([rewarded(one, self.world.name) for one in self._each(given)])
        flags = [ended(*both, self.world.name) for both in zip(self._each(over), self._each(cut), strict=True)]
        over, cut = (np.array(one, bool) for one in zip(*flags, strict=True))
        self.idle = self._over[places] if self._mode == "NextStep" else None
        self._first, self._over = seen, over | cut
        if self._mode == "SameStep" and self._over.any():
            seen = seen.copy()
            for place in np.flatnonzero(self._over).tolist():
                seen[place] = self._last(infos, place)
        return seen[places], rewards[places].astype(np.float32), over[places], cut[places]

    def frame(self, place: int) -> Any:
        with Guard(self.world.name, "render"):
            found = self._env.render()
        return found[place] if isinstance(found, tuple | list) else found

    def close(self) -> None:
        with Closing(self.world.name):
            self._env.close()

    def _reset(self, **how: Any) -> None:
        with Guard(self.world.name, "reset"):
            given = self._env.reset(**how)
        values = begun(given, self.world.name)
        self._first, self._over = self._seen(values), np.zeros(self._count, bool)

    def _renew(self, places: np.ndarray) -> None:
        """Begins episodes where the mode leaves it to the caller; what the other places see stays."""
        kept, over, mask = self._first, self._over, np.zeros(self._count, bool)
        mask[places] = True
        self._reset(options={"reset_mask": mask})
        self._first, self._over = np.where(mask[:, None], self._first, kept), over & ~mask

    def _batch(self, actions: np.ndarray) -> np.ndarray:
        made = np.stack([self.world.actions.value(action) for action in actions])
        return made.astype(self._env.single_action_space.dtype)

    def _seen(self, values: Any) -> np.ndarray:
        """The raw observations of a batch, shape (envs, size)."""
        with Guard(self.world.name, "its observations"):
            rows = [_row(values, place) for place in range(self._count)]
        return np.stack([observed(row, self.world.observations, self.world.name) for row in rows])

    def _each(self, values: Any) -> Sequence[Any]:
        found = np.asarray(values).reshape(-1)
        if len(found) != self._count:
            raise DataError(
                "The vector environment gave a reward or an end for another number of places than it has",
                where=self.world.name, got=len(found), accepted=str(self._count),
                fix="Give one for each, in arrays of shape (num_envs,).",
            )  # fmt: skip
        return found.tolist()

    def _last(self, infos: Mapping[str, Any], place: int) -> np.ndarray:
        """The last observation of an episode, of the infos of a step that has already begun the next one."""
        value = _row(infos["final_obs"], place) if "final_obs" in infos else None
        if value is None:
            raise DataError(
                "The vector environment begins episodes in the step that ends one, and does not tell its last view",
                where=self.world.name, got=f"infos with {sorted(infos)}", accepted='infos["final_obs"]',
                fix=f"Put the last observations there, or take another autoreset mode; see {_WHERE}.",
            )  # fmt: skip
        return observed(value, self.world.observations, self.world.name)


def _row(values: Any, place: int) -> Any:
    """What a batch of Gymnasium has for one place: batches of parts are parts of batches."""
    if isinstance(values, Mapping):
        return {name: _row(part, place) for name, part in values.items()}
    return tuple(_row(part, place) for part in values) if isinstance(values, tuple) else values[place]
