"""Worlds that do what they must not, and others in which what is right is known."""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.vector import SyncVectorEnv
from tests.contract.worlds import Corridor, Slope


class Broken(Corridor):
    """Goes wrong once it is broken, in a way that a subclass says."""

    broken = False

    def step(self, action: Any) -> Any:
        answer = super().step(action)
        return self.wrong(answer) if Broken.broken else answer

    def wrong(self, answer: Any) -> Any:
        raise RuntimeError("the motor is off")


class NoNumber(Broken):
    def wrong(self, answer: Any) -> Any:
        return answer[0], float("nan"), *answer[2:]


class OtherShape(Broken):
    def wrong(self, answer: Any) -> Any:
        return np.zeros(3), *answer[1:]


class FourValues(Broken):
    def wrong(self, answer: Any) -> Any:
        return answer[:4]


class TooMuch(Broken):
    def wrong(self, answer: Any) -> Any:
        return answer[0], 1e300, *answer[2:]


class Exits(Broken):
    def wrong(self, answer: Any) -> Any:
        sys.exit(3)


class NoEnd(Broken):
    def wrong(self, answer: Any) -> Any:
        return *answer[:2], np.array([True, False]), *answer[3:]


class Endless(Corridor):
    """An episode that nothing ends."""

    def step(self, action: Any) -> Any:
        return self._seen(), 1.0, False, False, {}


class Huge(Corridor):
    observation_space = spaces.Box(0.0, 1.0, (5000, 5000), np.float32)


class Wide(Corridor):
    """Not too large for one, too large for many."""

    observation_space = spaces.Box(0.0, 1.0, (100, 1000), np.float32)


class Written(Corridor):
    observation_space = spaces.Text(5)


class Counting(gymnasium.Env[Any, Any]):
    """Tells the step of the episode; cut after five, or ended after three where that is asked."""

    observation_space = spaces.Box(0.0, 10.0, (1,), np.float32)
    action_space = spaces.Discrete(2)

    def __init__(self, ends: int = 0) -> None:
        self.ends = ends

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.count = 0
        return np.array([0.0], np.float32), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.count += 1
        return np.array([self.count], np.float32), 1.0, self.count == self.ends, self.count == 5, {}


class Strict(Corridor):
    """Takes nothing that is not of its own space of actions."""

    def step(self, action: Any) -> Any:
        if not self.action_space.contains(action):
            raise ValueError(f"no action of mine: {action!r}")
        return super().step(action)

    def direction(self, action: Any) -> float:
        return 1.0


class Shown(Corridor):
    """Shows itself as a picture with a bright column where it stands."""

    metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012 - as Gymnasium wants it

    def __init__(self, render_mode: str | None = None) -> None:
        self.render_mode = render_mode

    def render(self) -> Any:
        picture = np.zeros((32, 48, 3), np.uint8)
        picture[:, int(np.clip(20 * self.place + 24, 0, 47))] = 255
        return picture


class Countings(SyncVectorEnv):
    """Several of them in one object, of which the first ends after three steps."""

    def __init__(self, num_envs: int, mode: str = "NextStep") -> None:
        super().__init__([partial(Counting, 3 * (place == 0)) for place in range(num_envs)], autoreset_mode=mode)


class Corridors(SyncVectorEnv):
    """Several corridors, or others of this module, in one object."""

    def __init__(
        self, num_envs: int, mode: str = "NextStep", kind: str = "Corridor", render_mode: str | None = None
    ) -> None:
        mode_of_render = {} if render_mode is None else {"render_mode": render_mode}
        super().__init__([partial(globals()[kind], **mode_of_render)] * num_envs, autoreset_mode=mode)


class NoMode(Countings):
    metadata = {}  # noqa: RUF012 - as Gymnasium wants it

    def __init__(self, num_envs: int) -> None:
        super().__init__(num_envs)
        self.metadata = {}


class NoLast(Countings):
    def __init__(self, num_envs: int) -> None:
        super().__init__(num_envs, "SameStep")

    def step(self, actions: Any) -> Any:
        return *super().step(actions)[:4], {}


class OddEnds(Countings):
    def step(self, actions: Any) -> Any:
        return *super().step(actions)[:2], ["no"] * self.num_envs, [False] * self.num_envs, {}


class NotEach(Countings):
    def step(self, actions: Any) -> Any:
        values, rewards, *rest = super().step(actions)
        return values, rewards[:1], *rest


class FourOfAll(Countings):
    def step(self, actions: Any) -> Any:
        return super().step(actions)[:4]


class FewSeen(Countings):
    def step(self, actions: Any) -> Any:
        values, *rest = super().step(actions)
        return values[:1], *rest


class NoStep:
    """No environment."""

    observation_space = action_space = spaces.Discrete(2)

    def reset(self) -> None:
        """Does nothing."""


class Mixed(Corridor):
    action_space = spaces.Dict({"left": spaces.Discrete(2)})


class Several(Corridor):
    """Observations in parts, as a dictionary."""

    observation_space = spaces.Dict({"place": spaces.Box(-2, 2, (1,), np.float32), "goal": spaces.Discrete(2)})

    def _seen(self) -> Any:
        return {"place": np.array([self.place], np.float32).clip(-1, 1), "goal": int(self.goal > 0)}


class Seen(Corridor):
    """The corridor as a picture: its place is a bright column, its goal the colour of the lowest rows."""

    observation_space = spaces.Box(0, 255, (16, 20, 3), np.uint8)

    def _seen(self) -> Any:
        picture = np.zeros((16, 20, 3), np.uint8)
        column = int(np.clip(10 * self.place + 10, 0, 19))
        picture[:12, column, 0] = 255
        picture[12:, :, 1 if self.goal > 0 else 2] = 255
        return picture


class SeenSlope(Seen, Slope):
    """The same, with how far to go as the action."""


class SeenInPart(Seen):
    """The picture beside the goal as a number."""

    observation_space = spaces.Dict({"goal": spaces.Discrete(2), "view": Seen.observation_space})

    def _seen(self) -> Any:
        return {"goal": int(self.goal > 0), "view": super()._seen()}


class Sixteen(gymnasium.Env[Any, Any]):
    """It takes what FrozenLake takes, and is over at once."""

    observation_space, action_space = spaces.Discrete(16), spaces.Discrete(4)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        super().reset(seed=seed)
        return 0, {}

    def step(self, action: Any) -> Any:
        return 0, 0.0, True, False, {}


class Paying(Sixteen):
    """One step, which gives what its making was told."""

    def __init__(self, size: int = 1) -> None:
        self.size = size

    def step(self, action: Any) -> Any:
        return 0, float(self.size), True, False, {}


class Coin(Sixteen):
    """One step, which gives one or nothing by chance."""

    def step(self, action: Any) -> Any:
        return 0, float(self.np_random.random() < 0.5), True, False, {}


class Told(Corridor):
    """The corridor in words."""

    observation_space = spaces.Text(40)

    def _seen(self) -> Any:
        return f"the goal is {'good' if self.goal > 0 else 'bad'} and the plot {'warm' if self.place > 0 else 'cold'}"


class SayNo(Broken):
    def wrong(self, answer: Any) -> Any:
        return *answer[:2], "no", *answer[3:]


class SayNothing(Broken):
    def wrong(self, answer: Any) -> Any:
        return *answer[:3], None, answer[4]


class Twos(Broken):
    def wrong(self, answer: Any) -> Any:
        return *answer[:2], 2, *answer[3:]


class Numbered(Corridor):
    """Tells its ends as numbers, which many old environments do."""

    def step(self, action: Any) -> Any:
        seen, reward, over, cut, info = super().step(action)
        return seen, reward, np.array(over), float(cut), info


class OldReset(Corridor):
    def reset(self, **how: Any) -> Any:
        return super().reset(**how)[0]


class PairReset(Corridor):
    """Its first observation has as many numbers as reset has values."""

    def reset(self, **how: Any) -> Any:
        return super().reset(**how)[0].tolist()


class Darkened(Seen):
    """Divides its pixels, though it declares bytes."""

    def _seen(self) -> Any:
        return super()._seen() / 510


class Overexposed(Seen):
    def _seen(self) -> Any:
        return super()._seen().astype(int) + 45


class Lacking(Several):
    def _seen(self) -> Any:
        return {"place": super()._seen()["place"]}


class Twisted(Several):
    def _seen(self) -> Any:
        return {**super()._seen(), "place": np.zeros((1, 1, 2))}


class Manifold(Corridor):
    """More actions than a network has outputs for."""

    action_space = spaces.Discrete(10_000_000)


class Many(Corridor):
    action_space = spaces.Discrete(2_000_000_000)


class Empty(Corridor):
    observation_space = spaces.Box(-1, 1, (0,), np.float32)


class Long(Corridor):
    observation_space = spaces.Box(-1, 1, (2_000_000,), np.float32)


class States(Corridor):
    observation_space = spaces.Discrete(16_000_000)
    action_space = spaces.Discrete(8)


class Sized(Corridor):
    def __init__(self, size: int = 3, name: str = "x") -> None:
        if size < 1:
            raise TypeError("size is too small")


class AnyWise(Corridor):
    def __init__(self, **how: Any) -> None:
        if how:
            raise TypeError(f"nobody knows {', '.join(how)}")


class Clinging(Corridor):
    def close(self) -> None:
        raise OSError("cannot close")


class ClingingAll(Countings):
    def close(self, **how: Any) -> None:
        raise OSError("cannot close")
