"""The agent of a run: as it is, behind a frozen foundation, or with one that learns with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from headwater.control.agent import Agent
from headwater.control.q_learning import QLearning
from headwater.control.seeing import SIGHT, Seeing, Sight
from headwater.control.world import World
from headwater.errors import ExtraError, SettingError
from headwater.settings import Settings

FROZEN, TUNED = "probe", "full"
STRATEGIES: Final = ("auto", FROZEN, TUNED)
"""What `--strategy` can be beside an encoder."""


def made(model: type[Agent], own: Any, world: World, settings: Settings, seed: int) -> Agent:
    """An untaught agent for a world.

    Args:
        model: which.
        own: its settings.
        world: what it is to observe and do.
        settings: name the encoder, and what becomes of it.
        seed: of all its chances.

    Raises:
        DataError: it cannot work with these observations or actions, or its encoder cannot.
        SettingError: a table, which has no use for features.
        NotFoundError, ArtifactError, ExtraError: the encoder is not there, cannot be read or needs a library.
    """
    if settings.encoder is None:
        return model(own, world.observations, world.actions, seed)
    if issubclass(model, QLearning):
        raise SettingError(
            "A table learns nothing from features", where="--encoder", got=settings.encoder,
            accepted="a model with a network", fix="Take --model dqn.",
        )  # fmt: skip
    try:
        from headwater.control.eye import Eye
        from headwater.training.device import device_of
    except ModuleNotFoundError as missing:
        raise ExtraError(
            "Encoders need the library torch, which is not installed", where="--encoder", got=str(missing),
            fix="Install it with: pip install 'headwater[control,vision]', or for texts [control,language]",
        ) from missing  # fmt: skip
    if settings.strategy == TUNED:
        # Its parameters are parts of a numpy vector, which lies in the memory of the processor.
        eye = Eye.open(settings.encoder, world.observations, settings, "cpu")
        return model(own, world.observations, world.actions, seed, eye=eye)
    eye = Eye.open(settings.encoder, world.observations, settings, str(device_of(settings)))
    sight = Sight(eye, world.observations)
    found = Seeing(model(own, sight.features, world.actions, seed), sight, settings.device)
    found.meet(world, seed)
    return found


def loaded(model: type[Agent], folder: Path) -> Agent:
    """The agent that lies in a folder."""
    return Seeing.of(model, folder) if (folder / SIGHT).exists() else model.load(folder)
