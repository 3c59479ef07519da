"""What every agent can do: act on observations, learn through a lesson, and put itself into arrays."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

import numpy as np
from safetensors.numpy import load_file, save_file

from headwater.control.chance import Chance, generator
from headwater.control.lesson import Lesson
from headwater.control.networks import Network, network_of
from headwater.control.rehearsing import Rehearsal
from headwater.control.replay import Lived
from headwater.control.spaces import Space, from_json
from headwater.errors import DataError
from headwater.options import build, plain
from headwater.run import write_whole
from headwater.settings import NoSettings
from headwater.settings import Settings as RunSettings

if TYPE_CHECKING:
    from headwater.control.eye import Eye

_ARRAYS, _STATE = "agent.safetensors", "agent.json"
EYE: Final = "encoder"
"""Where a foundation lies in the folder of an agent; the folder of a run with one is a foundation for others."""


class Agent(ABC):
    """Observations in, actions out. Settings of its own are fields of its `Settings` dataclass.

    The constructor makes what acts; `begin` adds what only learning needs.

    Attributes:
        observations, actions: what it observes and does.
        settings: its own.
        rehearsal: demonstrations that it goes on imitating while it learns; None without any.

    Args:
        settings: its own; the defaults if not given.
        observations: what it is to observe.
        actions: what it can do.
        seed: decides its first parameters.
        eye: a foundation that looks at images or reads texts, and learns with its networks.
    """

    Settings: ClassVar[type] = NoSettings
    """A frozen dataclass in the style of `headwater.settings`; empty when the model has none of its own."""
    steps: ClassVar[int] = 100_000
    """For how many steps it learns in an environment that nothing better is known of."""
    envs: ClassVar[int] = 1
    """In how many environments at once, likewise."""
    learning_rate: ClassVar[float] = 1e-3
    """How fast, likewise."""
    draws: ClassVar[bool] = False
    """Whether it has a policy to draw actions from, beside the best that it knows."""
    reads: ClassVar[tuple[str, ...]] = ("learning_rate",)
    """The settings of every run that decide how well this model learns; `tune` searches those and its own."""

    def __init__(
        self, settings: Any, observations: Space, actions: Space, seed: int = 0, *, eye: Eye | None = None
    ) -> None:  # fmt: skip
        self.settings = settings if settings is not None else self.Settings()
        self.rehearsal: Rehearsal | None = None
        self.observations, self.actions, self.eye, self._eyes = observations, actions, eye, 0
        self.check()
        self.build(generator(seed, Chance.PARAMETERS))

    @classmethod
    def completed(cls, settings: RunSettings, rows: int) -> RunSettings:
        """The settings of a run with this model's own choice where they leave it one; `tune` asks for it."""
        rate = cls.learning_rate if settings.learning_rate is None else settings.learning_rate
        return replace(settings, learning_rate=rate)

    @abstractmethod
    def check(self) -> None:
        """Refuses observations or actions that it cannot work with.

        Raises:
            DataError: says which, and which model can.
        """

    @abstractmethod
    def build(self, random: np.random.Generator) -> None:
        """Makes what acts, untaught."""

    @abstractmethod
    def begin(self, envs: int) -> None:
        """Makes what only learning needs, for so many environments at once."""

    @abstractmethod
    def learn(self, lesson: Lesson) -> None:
        """Lives through a lesson and learns from it; ends what is left open, for the next one begins elsewhere."""

    @abstractmethod
    def act(self, raw: np.ndarray, random: np.random.Generator | None = None) -> np.ndarray:
        """Raw actions for raw observations of shape (rows, size): the best it knows, or drawn from its policy.

        Args:
            raw: what is observed.
            random: draws; without it the answer is the best one.
        """

    @abstractmethod
    def policy(self) -> dict[str, np.ndarray]:
        """The arrays that decide how it acts, by name; they are its own, not copies."""

    @abstractmethod
    def memory(self) -> dict[str, np.ndarray]:
        """All that `begin` made, and learning has changed, by name; the policy is not among it."""

    @abstractmethod
    def remember(self, memory: dict[str, np.ndarray]) -> None:
        """Takes back what `memory` gave."""

    @abstractmethod
    def imitate(self, raw: np.ndarray, actions: np.ndarray, rate: float) -> None:
        """One step toward doing these raw actions where these raw observations are made."""

    def network_of(
        self, sizes: Sequence[int], random: np.random.Generator, *, beside: int = 0, tanh: bool = False
    ) -> Network:  # fmt: skip
        """An untaught network for what it observes, as `networks.network_of` makes it.

        The first one, which is the one that acts, has the foundation itself; all others have copies.
        """
        eye = self.eye.copy() if self.eye is not None and self._eyes else self.eye
        self._eyes += 1
        return network_of(self.observations, sizes, random, beside=beside, tanh=tanh, eye=eye)

    def look(self, raw: np.ndarray) -> bool:
        """Sees all observations that are to be imitated; whether it needed to."""
        return False

    def relive(self, lived: Lived) -> int:
        """Keeps what somebody else lived through, to learn from; how many transitions, none where it has no memory."""
        return 0

    def appraise(self, lived: Lived, rate: float, random: np.random.Generator) -> int:
        """Learns what such actions are worth from what came of them, before it may do others.

        Args:
            lived: what `relive` was given before, in its order.
            rate: the learning rate.
            random: every chance in it.

        Returns:
            How many updates; none where nothing tells the worth of an action apart from the policy.
        """
        return 0

    def follow(self, policy: Mapping[str, np.ndarray]) -> None:
        """Acts as this policy does from now on."""
        for name, values in self.policy().items():
            values[...] = policy[name]

    def save(self, folder: Path) -> None:
        """Writes what acts as safetensors and JSON."""
        save_file({name: np.ascontiguousarray(values) for name, values in self.policy().items()}, folder / _ARRAYS)
        state = {
            "settings": plain(self.settings), "observations": self.observations.to_json(),
            "actions": self.actions.to_json(), "eye": self.eye is not None,
        }  # fmt: skip
        if self.eye is not None:
            self.eye.encoder.changed()
            self.eye.save(folder / EYE)
        write_whole(folder / _STATE, json.dumps(state, indent=1).encode())

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Reads what `save` wrote."""
        state = json.loads((folder / _STATE).read_text("utf-8"))
        spaces = from_json(state["observations"]), from_json(state["actions"])
        eye = None
        if state.get("eye"):
            from headwater.control.eye import Eye

            eye = Eye.load(folder / EYE)
        agent = cls(build(cls.Settings, state["settings"]), *spaces, eye=eye)
        agent.follow(load_file(folder / _ARRAYS))
        return agent


def refuse_actions(model: str, actions: Space, accepted: str, instead: str) -> None:
    """Refuses actions of a kind that a model cannot do.

    Raises:
        DataError: says what it can, and which model can do these.
    """
    raise DataError(
        f"{model} cannot do the actions of this environment", got=str(actions), accepted=accepted,
        fix=f"Take --model {instead}.",
    )  # fmt: skip
