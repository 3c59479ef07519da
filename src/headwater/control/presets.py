"""What suits an environment: settings that were found good in it, for each model; what the user gives goes before.

They began as the settings of RL Baselines3 Zoo; which of them were measured with these agents, and what came of it,
stands on the page of each model.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

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
            "steps": 50_000, "learning_rate": 2.3e-3, "hidden": (128, 128), "batch": 64, "warm_up": 1000,
            "train_every": 256, "updates": 128, "target_every": 256, "exploring": 0.16, "exploration_end": 0.04,
        },
        "MountainCar-v0": {
            "steps": 120_000, "learning_rate": 4e-3, "batch": 128, "buffer": 10_000, "warm_up": 1000, "gamma": 0.98,
            "train_every": 16, "updates": 8, "target_every": 600, "exploring": 0.2, "exploration_end": 0.07,
        },
        "Acrobot-v1": {
            "steps": 100_000, "learning_rate": 6.3e-4, "batch": 128, "buffer": 50_000, "warm_up": 0,
            "train_every": 4, "updates": 4, "target_every": 250, "exploring": 0.12, "exploration_end": 0.1,
        },
        "LunarLander-v3": {
            "steps": 100_000, "learning_rate": 6.3e-4, "batch": 128, "buffer": 50_000, "warm_up": 0,
            "train_every": 4, "updates": 4, "target_every": 250, "exploring": 0.12, "exploration_end": 0.1,
        },
    },
    "actor-critic": {
        "CartPole-v1": {"steps": 100_000},
        "Acrobot-v1": {"steps": 300_000},
        "Pendulum-v1": {"steps": 200_000, "learning_rate": 3e-4, "gamma": 0.98, "passes": 10, "entropy": 0.0},
        "LunarLander-v3": {"steps": 400_000, "gamma": 0.999, "gae_lambda": 0.98, "rollout": 256},
    },
    "ddpg": {"Pendulum-v1": {"steps": 20_000, "gamma": 0.98, "batch": 128, "train_every": 2}},
}  # fmt: skip
"""By model and environment: settings of every run (`steps`, `envs`, `learning_rate`) and of the model itself."""
OF_RUN: Final = ("steps", "envs", "learning_rate")


def preset(model: str, environment: str) -> dict[str, Any]:
    """What was found good for a model in an environment; empty where nothing is known.

    Example:
        >>> preset("dqn", "CartPole-v1")["steps"], preset("dqn", "maze:Maze")
        (50000, {})
    """
    return dict(PRESETS.get(model, {}).get(environment, {}))
