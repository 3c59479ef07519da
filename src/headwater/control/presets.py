"""What suits an environment: settings that were found good in it, for each model; what the user gives goes before.

They came out of a search by hand; `benchmarks/control_presets.py` measures them again beside a few others on the same
seeds, and the page of a model has its figures. The defaults of a model are a start for what is not known here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_FAR: Final[Mapping[str, Any]] = {"gamma": 0.999, "gae_lambda": 0.98, "rollout": 256}
"""What counts comes hundreds of steps later."""
_LANDING: Final[Mapping[str, Any]] = {
    "learning_rate": 6.3e-4, "batch": 128, "buffer": 50_000, "warm_up": 0, "tau": 0.0, "train_every": 4, "updates": 4,
    "target_every": 250, "exploring": 0.12, "exploration_end": 0.1,
}  # fmt: skip
"""What the zoo has for LunarLander and Acrobot."""
PRESETS: Final[Mapping[str, Mapping[str, Mapping[str, Any]]]] = {
    "q-learning": {
        # Rewards are rare, and at most 1: what is untried is held for the best there is.
        "FrozenLake-v1": {"steps": 2_000_000, "initial": 1.0, "exploration_end": 0.1},
        "FrozenLake8x8-v1": {"steps": 2_000_000, "initial": 1.0, "exploration_end": 0.1},
        "Taxi-v4": {"steps": 500_000},
    },
    "dqn": {
        "CartPole-v1": {
            # With half of the zoo's units a training takes less than half of the time, and comes to the same.
            "steps": 50_000, "learning_rate": 2.3e-3, "tau": 0.0, "target_every": 256, "double": False, "n_step": 1,
            "train_every": 256, "updates": 128, "exploring": 0.16, "exploration_end": 0.04,
        },
        # Random steps that are not kept up lead nowhere; with three-step returns that makes no difference any more.
        "MountainCar-v0": {"steps": 150_000, "persistence": 50, "buffer": 150_000, "train_every": 16, "updates": 8},
        # Half of the zoo's units do nearly as well in less than half of the time.
        "Acrobot-v1": {"steps": 100_000, **_LANDING, "hidden": (256, 256), "double": False, "n_step": 1},
        "LunarLander-v3": {"steps": 100_000, **_LANDING},
    },
    "actor-critic": {
        "CartPole-v1": {"steps": 100_000},
        "Acrobot-v1": {"steps": 300_000},
        "Pendulum-v1": {"steps": 200_000, "learning_rate": 3e-4, "gamma": 0.98, "passes": 10, "entropy": 0.0},
        "LunarLander-v3": {"steps": 400_000, **_FAR},
        "LunarLanderContinuous-v3": {"steps": 400_000, **_FAR},
    },
    "ddpg": {
        "Pendulum-v1": {"steps": 20_000, "gamma": 0.98, "batch": 128, "train_every": 2},
        "LunarLanderContinuous-v3": {
            "steps": 250_000, "batch": 128, "train_every": 2, "n_step": 3, "warm_up": 5000, "noise": 0.2,
            "buffer": 250_000, "inverting": True,
        },
    },
}  # fmt: skip
"""By model and environment: settings of every run (`steps`, `envs`, `learning_rate`) and of the model itself."""
_LONG: Final = 1000
OF_LONG: Final[Mapping[str, Mapping[str, Any]]] = {
    "actor-critic": _FAR,
}
"""By model: what suits any environment whose episodes are cut after a thousand steps or more."""
OF_RUN: Final = ("steps", "envs", "learning_rate")


def preset(model: str, environment: str, limit: int | None = None) -> dict[str, Any]:
    """What was found good for a model in an environment; empty where nothing is known.

    Args:
        model: its name.
        environment: its name.
        limit: steps after which an episode is cut, where somebody has said so.

    Example:
        >>> preset("dqn", "CartPole-v1")["steps"], preset("dqn", "maze:Maze")
        (50000, {})
        >>> preset("actor-critic", "maze:Maze", limit=2000)["gamma"]
        0.999
    """
    own = PRESETS.get(model, {}).get(environment)
    if own is not None:
        return dict(own)
    return dict(OF_LONG.get(model, {})) if limit is not None and limit >= _LONG else {}
