"""The environment that is to be mastered, by name: a Gymnasium id, or `module:Class` of the user's own."""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final

from headwater.control.arguments import arguments_of, checked
from headwater.control.box import Box
from headwater.control.declared import of_gymnasium
from headwater.control.guard import MEND, Guard
from headwater.control.hushed import hushed
from headwater.control.spaces import Choices, Discrete, Parts, Space, Text
from headwater.errors import DataError, ExtraError, NotFoundError, did_you_mean

LONGEST: Final = 10_000
"""Steps after which an episode is cut that no limit of its own ends."""
_EXTRA: Final = "pip install 'headwater[control]'"


@dataclass(frozen=True)
class World:
    """An environment that can be made as often as one likes.

    Attributes:
        name: what it is called.
        options: arguments for its making.
        maker: makes one, where it came from Python and has no name to find it by.
        longest: steps after which an episode is cut; `LONGEST` where neither this nor the environment says so.

    Example:
        >>> world = World("FrozenLake-v1", {"map_name": "8x8"})
        >>> world.observations.n, world.actions.n, world.limit
        (64, 4, 100)
    """

    name: str
    options: dict[str, Any] = field(default_factory=dict, hash=False)
    maker: Callable[..., Any] | None = None
    longest: int | None = None

    def make(self, render_mode: str | None = None, *, count: int = 1) -> Any:
        """A new environment; of a vector environment one with `count` places.

        Raises:
            NotFoundError: there is none of this name.
            ExtraError: it needs a library that is not installed.
            DataError: its making fails.
        SettingError: it takes no argument of a name among its options.
        """
        gymnasium = _gymnasium()
        mode: dict[str, Any] = {} if render_mode is None else {"render_mode": render_mode}
        if self.vector:
            mode["num_envs"] = count
        fix = "Check the values of --env, or mend the environment." if self.options else MEND
        with Guard(self.name, "its making", fix), checked(self.name, self.options, self._maker), hushed(self.name):
            if self.maker is not None:
                return self.maker(**self.options, **mode)
            with _translated(self.name, gymnasium):
                return gymnasium.make(self.name, disable_env_checker=True, **self.options, **mode)

    def _maker(self) -> Callable[..., Any]:
        """What makes it, which of a Gymnasium id is told by its registration."""
        if self.maker is not None:
            return self.maker
        entry = _gymnasium().spec(self.name).entry_point
        return entry if callable(entry) else _gymnasium().envs.registration.load_env_creator(entry)

    @cached_property
    def observations(self) -> Space:
        return of_gymnasium(self._space("observation_space"), where=self.name)

    @cached_property
    def actions(self) -> Space:
        found = of_gymnasium(self._space("action_space"), where=self.name)
        if isinstance(found, Text):
            raise DataError(
                "The environment takes texts for actions, and no agent here writes", where=self.name, got=str(found),
                accepted="Discrete, MultiDiscrete, MultiBinary or Box", fix="Offer a choice of texts, as Discrete.",
            )  # fmt: skip
        if isinstance(found, Parts) or (isinstance(found, Discrete | Choices) and found.width < 1):
            raise DataError(
                "The environment has an action of several kinds at once", where=self.name, got=str(found),
                accepted="Discrete, MultiDiscrete, MultiBinary or Box", fix="Flatten it with a wrapper.",
            )  # fmt: skip
        # Bytes that are to be done are numbers like any others: nobody looks at them.
        return replace(found, pixels=False) if isinstance(found, Box) else found

    @property
    def vector(self) -> bool:
        """Whether it is a vector environment of the user's own, one object with many places."""
        return isinstance(self.maker, type) and issubclass(self.maker, _gymnasium().vector.VectorEnv)

    @property
    def limit(self) -> int:
        """Steps after which an episode is cut at the latest."""
        return self.told_limit or LONGEST

    @property
    def told_limit(self) -> int | None:
        """The same where the user or the environment says so."""
        own = getattr(getattr(self._sample, "spec", None), "max_episode_steps", None)
        return min((one for one in (self.longest, own) if one), default=None)

    @property
    def known_as(self) -> str:
        """The id that Gymnasium has for it, without the module that it came from; else its name."""
        spec = getattr(self._sample, "spec", None)
        return self.name if spec is None or self.maker is not None else spec.id

    @property
    def sample(self) -> Any:
        """An environment that is only looked at, never stepped."""
        return self._sample

    @property
    def renders(self) -> bool:
        """Whether it can show itself in pixels."""
        return "rgb_array" in (getattr(self._sample, "metadata", None) or {}).get("render_modes", ())

    def _space(self, name: str) -> Any:
        """The space of one environment, which a vector environment has beside that of all of them."""
        return getattr(self._sample, f"single_{name}" if self.vector else name)

    @cached_property
    def _sample(self) -> Any:
        """One environment that is only looked at."""
        made = self.make()
        for part in ("observation_space", "action_space", "reset", "step"):
            if not hasattr(made, part):
                raise DataError(
                    f"This is no environment of Gymnasium: it has no {part}", where=self.name, got=type(made).__name__,
                    fix="Derive it from gymnasium.Env.",
                )  # fmt: skip
        return made


def world_of(source: Any, options: Iterable[str] | None = None, longest: int | None = None) -> World:
    """The world of a name, or of a class or function that makes environments.

    Args:
        source: a Gymnasium id, `module:Class`, or something to call.
        options: texts `NAME=VALUE`, arguments for its making.
        longest: steps after which an episode is cut.

    Raises:
        DataError: it is none of these.
        NotFoundError: the module or class does not exist.
        SettingError: an option that is not `NAME=VALUE`.
    """
    told = arguments_of(options or ())
    if isinstance(source, World):
        return source
    if callable(source):
        return World(getattr(source, "__name__", type(source).__name__), told, source, longest)
    if not isinstance(source, str) or not source.strip():
        raise DataError(
            "control learns by doing, and needs an environment to do it in", got=type(source).__name__,
            accepted="a Gymnasium id such as CartPole-v1, module:Class, or in Python what makes one when called",
        )  # fmt: skip
    return World(_versioned(source), told, _own(source), longest)


def hash_of(source: Any, *, offline: bool = False) -> str:
    """The SHA-256 of what an environment is known by: its name, and the source file of one of the user's own."""
    digest = hashlib.sha256(str(source if isinstance(source, str) else getattr(source, "__name__", "")).encode())
    module = source.partition(":")[0] if isinstance(source, str) and ":" in source else None
    if module is not None:
        with _here():
            found = importlib.util.find_spec(module.partition(".")[0]) and importlib.util.find_spec(module)
        if found is not None and found.origin is not None and found.has_location:
            with open(found.origin, "rb") as file:
                digest.update(file.read())
    return digest.hexdigest()


def _versioned(name: str) -> str:
    """A Gymnasium id with its version, which is the newest where none is given, as for Gymnasium itself."""
    if ":" in name or (gymnasium := _gymnasium()).registry.get(name) is not None:
        return name
    known = [spec for spec in gymnasium.registry.values() if spec.version is not None and name == (
        f"{spec.namespace}/{spec.name}" if spec.namespace else spec.name
    )]  # fmt: skip
    return max(known, key=lambda spec: spec.version).id if known else name


def _own(name: str) -> Callable[..., Any] | None:
    """The class of `module:Class`; None for a Gymnasium id, which may name a module too."""
    module, colon, attribute = name.partition(":")
    if not colon:
        return None
    try:
        with _here(), Guard(name, "the import of its module"):
            found = importlib.import_module(module)
    except DataError as failure:
        if isinstance(failure.__cause__, ModuleNotFoundError) and module.startswith(str(failure.__cause__.name)):
            raise NotFoundError(
                "There is no module of this name", where=name, got=module,
                fix="Start headwater in the folder of the module, or install it.",
            ) from failure  # fmt: skip
        raise
    if callable(getattr(found, attribute, None)):
        return getattr(found, attribute)
    if attribute.rpartition("-v")[1] and attribute in _gymnasium().registry:
        return None
    classes = [key for key, value in vars(found).items() if isinstance(value, type)]
    raise NotFoundError(
        "The module has no environment of this name", where=name, got=attribute, accepted=classes or "a class",
        fix=did_you_mean(attribute, classes),
    )  # fmt: skip


@contextlib.contextmanager
def _here() -> Iterator[None]:
    """Within, modules of the working folder are found, as `python -m` finds them."""
    sys.path.insert(0, "")
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):
            sys.path.remove("")


@contextlib.contextmanager
def _translated(name: str, gymnasium: Any) -> Iterator[None]:
    """Within, what Gymnasium says of a name is said in our words."""
    try:
        yield
    except gymnasium.error.Error as wrong:
        if isinstance(wrong, gymnasium.error.DependencyNotInstalled):
            raise ExtraError(
                "This environment needs a library that is not installed", where=name, got=str(wrong),
                fix=f"For classic control, toy text and Box2D: {_EXTRA}",
            ) from wrong  # fmt: skip
        known = list(gymnasium.registry)
        if name in known:
            raise
        raise NotFoundError(
            "There is no environment of this name", where="DATA", got=name,
            accepted="a Gymnasium id such as CartPole-v1, or module:Class of your own",
            fix=did_you_mean(name, known),
        ) from wrong  # fmt: skip


def _gymnasium() -> Any:
    try:
        return importlib.import_module("gymnasium")
    except ModuleNotFoundError as missing:
        raise ExtraError(
            "Environments need the library gymnasium, which is not installed", fix=f"Install it with: {_EXTRA}"
        ) from missing
