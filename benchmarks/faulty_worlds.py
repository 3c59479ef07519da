"""A world that does what it must not, in a way and at a moment that are told: `broken_environments.py` makes them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, ClassVar

import gymnasium
import numpy as np
from gymnasium import spaces

Answer = tuple[Any, ...]


def _raises(kind: Callable[..., BaseException]) -> Callable[[Answer], Answer]:
    def broken(_: Answer) -> Answer:
        raise kind("the motor is off")

    return broken


def _exits(_: Answer) -> Answer:
    sys.exit(0)


def _seen(value: Any) -> Callable[[Answer], Answer]:
    return lambda answer: (value, *answer[1:])


def _given(value: Any) -> Callable[[Answer], Answer]:
    return lambda answer: (answer[0], value, *answer[2:])


def _over(value: Any) -> Callable[[Answer], Answer]:
    return lambda answer: (*answer[:2], value, *answer[3:])


STEPS: dict[str, Callable[[Answer], Any]] = {
    "reward nan": _given(float("nan")),
    "reward inf": _given(-np.inf),
    "reward None": _given(None),
    "reward a text": _given("much"),
    "reward an array": _given(np.ones(3)),
    "reward huge": _given(1e300),
    "observation nan": _seen(np.array([np.nan, 0.0], np.float32)),
    "observation None": _seen(None),
    "observation a text": _seen("[0, 1]"),
    "observation of another shape": _seen(np.zeros((3, 2), np.float32)),
    "observation empty": _seen(np.zeros(0, np.float32)),
    "observation ragged": _seen([[1.0], [2.0, 3.0]]),
    "observation complex": _seen(np.array([1j, 0])),
    "observation of objects": _seen(np.array([{}, {}], object)),
    "observation of whole numbers": _seen(np.array([1, 0], np.int64)),
    "observation huge": _seen(np.array([3e38, -3e38], np.float32)),
    "observation beyond float32": _seen(np.array([1e300, 0.0])),
    "end None": _over(None),
    "end an array": _over(np.array([True, False])),
    "four values": lambda answer: answer[:4],
    "six values": lambda answer: (*answer, {}),
    "a list of values": list,
    "no values": lambda _: None,
    "step raises": _raises(RuntimeError),
    "step raises without words": lambda _: (_ for _ in ()).throw(AssertionError()),
    "step runs out of memory": _raises(MemoryError),
    "step exits": _exits,
}
"""What becomes of the five values of `step` when its moment has come."""
RESETS: dict[str, Callable[[Answer], Any]] = {
    "reset raises": _raises(ValueError),
    "reset without info": lambda answer: answer[0],
    "reset gives nothing": lambda _: None,
    "reset of another shape": lambda answer: (np.zeros(5, np.float32), answer[1]),
}
"""The same of the two values of `reset`."""
ALWAYS = (
    "never ends", "ends at once", "space changes", "space missing", "space of texts", "space too large", "ends of nan",
    "actions of none", "making raises", "close raises", "render raises",
)  # fmt: skip
"""What is wrong from the beginning, or at an end."""
KINDS = (*STEPS, *RESETS, *ALWAYS)


class Faulty(gymnasium.Env[Any, Any]):
    """A place between -1 and 1 whose end is wanted, which goes wrong at the step `at` of all that are made together.

    Attributes:
        done: how many steps were done in all of them; set it to 0 before a case.
    """

    done: ClassVar[int] = 0

    def __init__(self, kind: str = "", at: int = 0, render_mode: str | None = None) -> None:
        self.kind, self.at, self.render_mode = kind, at, render_mode
        self.metadata = {"render_modes": ["rgb_array"] if kind == "render raises" else []}
        self.action_space = spaces.Discrete(2)
        self.observation_space: Any = spaces.Box(-2.0, 2.0, (2,), np.float32)
        if kind == "making raises" and Faulty.done >= at:
            raise OSError("no licence")
        if kind == "space missing":
            self.observation_space = None
        elif kind == "space of texts":
            self.observation_space = spaces.Text(9)
        elif kind == "space too large":
            self.observation_space = spaces.Box(0.0, 1.0, (9000, 9000), np.float32)
        elif kind == "ends of nan":
            self.observation_space = spaces.Box(np.float32(np.nan), np.float32(np.nan), (2,), np.float32)
        elif kind == "actions of none":
            self.action_space = spaces.MultiDiscrete(np.array([], np.int64))
        elif kind == "space changes" and Faulty.done >= at:
            self.observation_space = spaces.Box(-2.0, 2.0, (3,), np.float32)

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.count, self.place = 0, float(self.np_random.uniform(-0.9, 0.9))
        answer = self._observed(), {}
        return RESETS[self.kind](answer) if self.kind in RESETS and Faulty.done >= self.at else answer

    def step(self, action: Any) -> Any:
        Faulty.done += 1
        self.count += 1
        self.place += 0.5 * (2 * int(action) - 1)
        over = (abs(self.place) >= 1 and self.kind != "never ends") or self.kind == "ends at once"
        answer = self._observed(), float(self.place >= 1), over, self.count == 20 and self.kind != "never ends", {}
        return STEPS[self.kind](answer) if self.kind in STEPS and Faulty.done >= self.at else answer

    def render(self) -> Any:
        raise RuntimeError("no screen")

    def close(self) -> None:
        if self.kind == "close raises" and Faulty.done >= self.at:
            raise RuntimeError("the door is stuck")

    def _observed(self) -> np.ndarray:
        return np.resize(np.array([np.clip(self.place, -1, 1), self.count / 20], np.float32),
                         getattr(self.observation_space, "shape", None) or (2,))  # fmt: skip
