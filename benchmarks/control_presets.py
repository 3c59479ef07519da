"""The search from which agents have their settings: a few settings for each environment, on the same seeds.

The first of each list is what `headwater adapt control` takes by itself (`headwater.control.presets`, or what the model
has). What a training is worth is the mean return of 100 episodes with the best action, which no training met; CPU
seconds are of the whole training, the episodes that choose its policy included. A setting moves where a change gains
more than the spread of the seeds, or costs less for the same return. For `q-learning` the policy is also judged by
value iteration: its share of the worth of the first state that the best policy has. Run it with `--threads 1`.
"""

from __future__ import annotations

from pathlib import Path
from statistics import mean
from typing import Any

from harness import Bench, Measured, Stopwatch, main
from results import Spread, Table, publish

_A2C = {
    "clip_range": 0.0,
    "passes": 1,
    "batch": 10_000_000,
    "rollout": 32,
    "envs": 8,
    "learning_rate": 1e-3,
    "entropy": 0.0,
}
_SMALL = {"tau": 0.005, "double": True, "n_step": 3, "learning_rate": 1e-3, "train_every": 4, "updates": 2}
CANDIDATES: dict[str, tuple[dict[str, Any], ...]] = {
    "FrozenLake-v1 q-learning": ({}, {"decay": 0.8}),
    "FrozenLake-v1 8x8 q-learning": ({}, {"decay": 0.8}, {"exploration_end": 0.3}),
    "Taxi-v4 q-learning": ({}, {"decay": 0.8}),
    "CartPole-v1 actor-critic": ({}, _A2C),
    "Pendulum-v1 actor-critic": ({}, {"gamma": 0.9}, {"learning_rate": 1e-3}, {"normalised": False}),
    "Acrobot-v1 actor-critic": ({}, _A2C),
    "Pendulum-v1 ddpg": ({}, {"n_step": 3}),
    "CartPole-v1 dqn": ({}, _SMALL),
    "Acrobot-v1 dqn": ({}, {"hidden": (128, 128)}, {"n_step": 3, "double": True}),
    "MountainCar-v0 dqn": ({}, {"persistence": 1}),
    "LunarLander-v3 actor-critic": ({}, {"gamma": 0.99, "gae_lambda": 0.95, "rollout": 64}),
    "LunarLanderContinuous-v3 actor-critic": ({},),
    "LunarLander-v3 dqn": ({}, _SMALL),
    "LunarLanderContinuous-v3 ddpg": ({},),
}
"""By environment and model: changes of what is taken by itself."""
CHEAP = [name for name in CANDIDATES if not name.startswith("Lunar")]


def training(environment: str, model: str, seed: int, change: dict[str, Any]) -> dict[str, Any]:
    """One training and its test episodes; what is changed is a setting of every run or of the model."""
    from dataclasses import fields

    from headwater.control.task import Control
    from headwater.settings import Settings

    name, _, size = environment.partition(" ")
    of_run = {field.name for field in fields(Settings)}
    run = {key: value for key, value in change.items() if key in of_run}
    if size:
        run["env"] = (f"map_name={size}",)
    own = {key: value for key, value in change.items() if key not in of_run}
    app = Control(model, Settings(seed=seed, **run), **own)
    with Stopwatch() as learning:
        app.fit(name)
    found = app.evaluate().metrics
    share = _of_optimum(app) if model == "q-learning" else None
    return {
        "return": found["return"].value, "lowest": found["return_lowest"].value, "learning": learning.cpu_seconds,
        "steps": app.standing.done, "share": share,
    }  # fmt: skip


def _of_optimum(app: Any) -> float:
    """The worth of the first state under the policy that was learnt, as a share of that under the best one."""
    import numpy as np

    env, gamma = app.world.sample.unwrapped, app.agent.settings.gamma
    most = max(len(found) for row in env.P.values() for found in row.values())
    moves = np.zeros((len(env.P), len(env.P[0]), most, 4))
    for state, row in env.P.items():
        for action, found in row.items():
            moves[state, action, : len(found)] = found
    chances, after, rewards, over = moves.transpose(3, 0, 1, 2)

    def worth(policy: Any) -> float:
        found = np.zeros(len(moves))
        for _ in range(5000):
            each = (chances * (rewards + gamma * found[after.astype(int)] * (1 - over))).sum(axis=2)
            before, found = found, each.max(axis=1) if policy is None else each[np.arange(len(each)), policy]
            if np.abs(before - found).max() < 1e-10:
                break
        return float(env.initial_state_distrib @ found)

    return worth(app.agent.table.argmax(axis=1)) / worth(None)


def compare(bench: Bench) -> None:
    """Measures setting by setting; a table for each environment and model."""
    tables = []
    for name in CHEAP[:1] if bench.options.quick else bench.options.only:
        environment, _, model = name.rpartition(" ")
        rows = [
            _row(change, [bench.measure("training", environment=environment, model=model, seed=seed, change=change)
                          for seed in bench.seeds])
            for change in CANDIDATES[name]
        ]  # fmt: skip
        head = "change", "steps", "mean return", "of each seed", "lowest episode", "of the optimum", "learning CPU s"
        tables.append(Table(f"{name}.", head, rows))
    publish(bench, tables, name=bench.options.to)


def _row(change: dict[str, Any], runs: list[Measured]) -> tuple[Any, ...]:
    returns = [run.values["return"] for run in runs]
    shares = [run.values["share"] for run in runs]
    digits = 1 if max(map(abs, returns)) >= 10 else 2
    return (
        ", ".join(f"{name} {_plain(value)}" for name, value in change.items()) or "as it is",
        f"{runs[0].values['steps']:,}", f"{mean(returns):.{digits}f}",
        ", ".join(f"{one:.{digits}f}" for one in returns), f"{min(run.values['lowest'] for run in runs):.0f}",
        "-" if None in shares else ", ".join(f"{share:.4f}" for share in shares),
        Spread.of(run.values["learning"] for run in runs),
    )  # fmt: skip


def _plain(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


FLAGS: dict[str, dict[str, Any]] = {
    "--only": {"nargs": "+", "choices": list(CANDIDATES), "default": CHEAP, "help": "these (default: the cheap ones)"},
    "--to": {"default": "control_presets", "help": "the name of the results (default: %(default)s)"},
}

if __name__ == "__main__":
    main(Path(__file__), {"training": training}, compare, seeds=3, flags=FLAGS)
