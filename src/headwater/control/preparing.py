"""From the name of an environment to what is learnt in, chosen by and tested on: the same world under other chances."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from headwater.control.demonstrations import Demonstrations, demonstrations_of
from headwater.control.making import STRATEGIES
from headwater.control.world import World, world_of
from headwater.data.records import Problem
from headwater.errors import SettingError
from headwater.options import refuse_unread
from headwater.settings import Settings

IDLE: Final = (
    "target", "group", "time", "split", "valid", "test", "valid_share", "test_share", "epochs", "last_layers",
    "lora_rank", "batch_size", "token_budget", "precision", "weight_decay", "clip", "warmup", "patience",
    "feature_cache",
)  # fmt: skip
"""Settings of every run that nothing here reads."""
_OF_ENCODERS: Final = ("strategy", "trust_remote_code")
"""Those that nothing reads where there is no encoder."""


@dataclass(frozen=True)
class Part:
    """So many steps or episodes of a world.

    Attributes:
        world: the world.
        count: how many steps to learn from, or episodes to measure by.
        measures: whether these episodes measure an agent that others have chosen.
    """

    world: World
    count: int
    measures: bool = False

    def __len__(self) -> int:
        return self.count


@dataclass(frozen=True)
class Ground:
    """A world ready for `fit` and `evaluate`.

    Attributes:
        train: the steps to learn from.
        valid: the episodes by which the best policy is chosen.
        test: the episodes by which it is measured.
        findings: the section `audit` of the report.
        set_aside: rows of demonstrations that cannot be used.
        shown: demonstrations to imitate first; None without any.
        trainings: how often the whole of it is learnt.
    """

    train: Part
    valid: Part
    test: Part
    findings: dict[str, Any]
    set_aside: list[Problem] = field(default_factory=list)
    shown: Demonstrations | None = None
    trainings: int = 1

    @property
    def often(self) -> str:
        return f"{self.trainings:,} trainings of " if self.trainings > 1 else ""

    @property
    def world(self) -> World:
        return self.train.world

    def __str__(self) -> str:
        """What was found, for the user to look over before the learning begins."""
        found = self.findings["audit"]
        lines = {
            "world": found["environment"],
            "observes": found["observation"],
            "does": found["action"],
            "episodes": f"cut after {found['episode_limit']:,} steps where they have not ended",
            "learning": f"{self.often}{len(self.train):,} steps, then {len(self.test):,} episodes that measure it",
        }
        if self.shown is not None:
            lines["imitates"] = f"{len(self.shown):,} demonstrations before"
        return "\n".join(f"{name:8} {text}" for name, text in lines.items())


def ground(source: Any, settings: Settings, steps: int, valid: int, demonstrations: Any = None) -> Ground:
    """The world of a source, looked at once.

    Args:
        source: what `world_of` takes.
        settings: of the run.
        steps: how many steps are learnt from.
        valid: how many episodes choose the best policy.
        demonstrations: a table to imitate first, as `demonstrations_of` takes it; None without any.

    Raises:
        DataError, NotFoundError, SettingError, ExtraError: as `world_of` and `World.make` do; a setting has no part.
    """
    refuse_idle(settings)
    world = world_of(source, settings.env, settings.episode_limit)
    audit: dict[str, Any] = {
        "environment": world.name, "observation": str(world.observations), "action": str(world.actions),
        "episode_limit": world.limit,
    }  # fmt: skip
    if world.options:
        audit["made_with"] = dict(world.options)
    shown = None
    if demonstrations is not None:
        shown = demonstrations_of(demonstrations, world, settings)
        lived = 0 if shown.lived is None else len(shown.lived.rewards)
        audit["demonstrations"] = {"rows": len(shown), "transitions": lived, "set_aside": len(shown.problems)}
    return Ground(
        Part(world, steps), Part(world, valid), Part(world, settings.episodes, measures=True), {"audit": audit},
        shown.problems if shown else [], shown, settings.trainings,
    )  # fmt: skip


def refuse_idle(settings: Settings) -> None:
    """Refuses settings that would be ignored without a word, and a training that learns from nothing.

    Raises:
        SettingError: says which.
    """
    if settings.steps == 0 and settings.demonstrations is None:
        raise SettingError(
            "There is nothing to learn from in no steps", where="--steps", got=0, accepted="1 or more",
            fix="Give demonstrations with --demonstrations, or steps.",
        )  # fmt: skip
    if settings.encoder is None:
        refuse_unread(settings, _OF_ENCODERS, "control", {"strategy": "--encoder as well, for what it adapts"})
    elif settings.strategy not in STRATEGIES:
        raise SettingError(
            "An encoder of control is left as it is, or learns as a whole", where="--strategy", got=settings.strategy,
            accepted=STRATEGIES, fix="Take probe or full.",
        )  # fmt: skip
    refuse_unread(settings, IDLE, "control", {
        "epochs": "--steps for how long it learns", "batch_size": "--set batch=, where a model has one",
        "clip": "--set clip_range= of actor-critic",
    })  # fmt: skip


def refuse_chances(settings: Settings, model: str, *, draws: bool) -> None:
    """Refuses to draw actions from a policy that there is none of.

    Raises:
        SettingError: the model knows only what it holds for the best.
    """
    if not settings.deterministic and not draws:
        raise SettingError(
            f"{model} has no policy to draw actions from: it knows what is best, and no chances",
            where="--no-deterministic", accepted="--model actor-critic", fix="Leave --no-deterministic out.",
        )  # fmt: skip
