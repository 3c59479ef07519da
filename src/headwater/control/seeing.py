"""An agent behind a frozen foundation: it observes features, each of which is computed once."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from headwater.control.agent import EYE, Agent
from headwater.control.chance import Chance
from headwater.control.episodes import at_random
from headwater.control.lesson import Lesson
from headwater.control.normalising import Running
from headwater.control.rehearsing import Rehearsal
from headwater.control.replay import Lived
from headwater.control.spaces import Box, Parts, Space, from_json
from headwater.control.world import World
from headwater.control.worlds import Step, Worlds
from headwater.run import write_whole

if TYPE_CHECKING:
    from headwater.control.eye import Eye

SIGHT: Final = "sight.json"
_KEPT_BYTES: Final = 256 << 20
_ENVS, _STEPS = 8, 64


class Sight:
    """Observations to what an agent makes of them behind a frozen foundation.

    The features of each image or text are computed alone, so that they never depend on what stood beside it, and kept
    in memory by its content, the latest of them: an environment shows many things more than once.

    Attributes:
        observations: what comes in.
        features: what goes out: the same, with features in the place of every image or text.

    Args:
        eye: the foundation.
        observations: what comes in.
    """

    def __init__(self, eye: Eye, observations: Space) -> None:
        self.eye, self.observations = eye, observations
        self._modules = dict[Space, Any]()
        self.features = self._seen(observations)
        self._known, self._bytes = OrderedDict[tuple[Space, bytes], np.ndarray](), 0

    def __call__(self, raw: np.ndarray) -> np.ndarray:
        """The raw features of raw observations of shape (rows, size): shape (rows, size of the features)."""
        return self._through(self.observations, raw).astype(self.features.dtype)

    def _seen(self, space: Space) -> Space:
        """What a space becomes."""
        if isinstance(space, Parts):
            return Parts(space.names, tuple(map(self._seen, space.spaces)))
        if not self.eye.reads(space):
            return space
        self._modules[space] = self.eye.on(space)
        return Box((self._modules[space].width,), (float("-inf"),), (float("inf"),))

    def _through(self, space: Space, raw: np.ndarray) -> np.ndarray:
        if isinstance(space, Parts):
            ends = np.cumsum([one.size for one in space.spaces])[:-1]
            parts = zip(space.spaces, np.split(raw, ends, axis=1), strict=True)
            return np.concatenate([self._through(one, part).astype(np.float32) for one, part in parts], axis=1)
        if space not in self._modules:
            return raw
        found = [self._one(space, row) for row in np.ascontiguousarray(raw, space.dtype)]
        return np.stack(found) if found else np.zeros((0, self._modules[space].width), np.float32)

    def _one(self, space: Space, row: np.ndarray) -> np.ndarray:
        import torch

        # Two parts of an observation may hold the same bytes, and mean something else by them.
        key = space, hashlib.blake2b(row.tobytes(), digest_size=16).digest()
        known = self._known.get(key)
        if known is None:
            with torch.inference_mode():
                known = self._modules[space](torch.from_numpy(space.encode(row[None]))).cpu().numpy()[0]
            self._known[key] = known
            self._bytes += known.nbytes
            while self._bytes > _KEPT_BYTES and len(self._known) > 1:
                self._bytes -= self._known.popitem(last=False)[1].nbytes
        else:
            self._known.move_to_end(key)
        return known


class SeenWorlds:
    """Environments as an agent sees them behind a frozen foundation: `worlds.Worlds` with features for observations.

    Attributes:
        now: the features of what is observed now.
    """

    def __init__(self, worlds: Worlds, see: Any) -> None:
        self._worlds, self._see = worlds, see
        self.now: np.ndarray = see(worlds.now)

    @property
    def count(self) -> int:
        return self._worlds.count

    @property
    def finished(self) -> list[tuple[float, int]]:
        return self._worlds.finished

    def step(self, actions: np.ndarray) -> Step:
        """Does one raw action in each environment."""
        found = self._worlds.step(actions)
        after = self._see(found.after)
        self.now = self._see(self._worlds.now)
        return Step(after, found.rewards, found.terminated, found.ended, found.idle)


class Seeing(Agent):
    """An agent whose observations go through a frozen foundation first; its replay memory holds features.

    Features are brought near one by their mean and spread in random play, as foundations give them in any size.

    Args:
        agent: learns and acts by features.
        sight: makes them.
        device: where the foundation computes, as the settings name it.
    """

    def __init__(self, agent: Agent, sight: Sight, device: str = "auto") -> None:
        self.agent, self.sight, self.device = agent, sight, device
        super().__init__(agent.settings, sight.observations, agent.actions)
        self.moments = Running(sight.features.size)

    def meet(self, world: World, seed: int) -> None:
        """Looks at random play, by which features are brought near one."""
        worlds, policy = Worlds(world, _ENVS, [seed, Chance.RANDOM_PLAY]), at_random(world, seed)
        rows = list[np.ndarray]()
        for _ in range(_STEPS):
            rows.append(self.sight(worlds.now))
            worlds.step(policy(worlds.now))
        worlds.close()
        self.moments.see(np.concatenate(rows))

    def see(self, raw: np.ndarray) -> np.ndarray:
        """What the agent observes where this is observed."""
        return self.moments.of(self.sight(raw))

    def check(self) -> None:
        """What it learns by is the agent's own to check."""

    def build(self, random: np.random.Generator) -> None:
        """What acts is made with the agent."""

    def begin(self, envs: int) -> None:
        self.agent.begin(envs)

    def learn(self, lesson: Lesson) -> None:
        worlds = lesson.worlds
        lesson.worlds = SeenWorlds(worlds, self.see)  # type: ignore[assignment]
        try:
            self.agent.learn(lesson)
        finally:
            lesson.worlds = worlds

    def act(self, raw: np.ndarray, random: np.random.Generator | None = None) -> np.ndarray:
        return self.agent.act(self.see(raw), random)

    def imitate(self, raw: np.ndarray, actions: np.ndarray, rate: float) -> None:
        self.agent.imitate(self.see(raw), actions, rate)

    def look(self, raw: np.ndarray) -> bool:
        return self.agent.look(self.see(raw))

    def relive(self, lived: Lived) -> int:
        return self.agent.relive(self._seen(lived))

    def appraise(self, lived: Lived, rate: float, random: np.random.Generator) -> int:
        return self.agent.appraise(self._seen(lived), rate, random)

    @property
    def rehearsal(self) -> Rehearsal | None:
        """What its agent goes on imitating."""
        return self.agent.rehearsal

    @rehearsal.setter
    def rehearsal(self, shown: Rehearsal | None) -> None:
        self.agent.rehearsal = None if shown is None else shown.through(self.see)

    def policy(self) -> dict[str, np.ndarray]:
        return {**self.agent.policy(), "features": self.moments.moments, "features-count": self.moments.count}

    def memory(self) -> dict[str, np.ndarray]:
        return self.agent.memory()

    def remember(self, memory: dict[str, np.ndarray]) -> None:
        self.agent.remember(memory)

    def _seen(self, lived: Lived) -> Lived:
        return Lived(self.see(lived.now), self.see(lived.after), lived.actions, lived.rewards, lived.terminated,
                     lived.ended)  # fmt: skip

    def save(self, folder: Path) -> None:
        """Writes the agent, its foundation and how they belong together."""
        self.agent.save(folder)
        self.sight.eye.save(folder / EYE)
        told = {"observations": self.observations.to_json(), "device": self.device,
                "moments": self.moments.moments.tolist(), "count": self.moments.count.tolist()}  # fmt: skip
        write_whole(folder / SIGHT, json.dumps(told).encode())

    @classmethod
    def of(cls, model: type[Agent], folder: Path) -> Self:
        """Reads what `save` wrote.

        Args:
            model: of the agent behind the foundation.
            folder: where they lie.
        """
        from headwater.control.eye import Eye
        from headwater.training.device import nearest

        told = json.loads((folder / SIGHT).read_text("utf-8"))
        sight = Sight(Eye.load(folder / EYE, str(nearest(told["device"]))), from_json(told["observations"]))
        found = cls(model.load(folder), sight, told["device"])
        found.moments.moments[:], found.moments.count[:] = told["moments"], told["count"]
        return found
