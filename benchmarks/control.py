"""Control: headwater's agents beside Stable-Baselines3 with its tuned settings, in the same environments.

Stable-Baselines3 has the settings of RL Baselines3 Zoo and lives in an environment of its own (`peers.py`); headwater
has what it takes by itself. A training is one seed; what it is worth is the mean return of 100 episodes with the best
action, which no training met. CPU seconds are of the learning alone; headwater's include the episodes that choose its
policy, the peer plays none. Run it with `--threads 1`, the fastest for both; `--only` measures some environments.
"""

from __future__ import annotations

from pathlib import Path
from statistics import mean, stdev
from typing import Any

import peers
from harness import Bench, Measured, Stopwatch, main
from results import Spread, Table, publish

PEER = "stable-baselines3"
RUNS = {
    "CartPole-v1 dqn": ("CartPole-v1", "dqn", 50_000),
    "Acrobot-v1 dqn": ("Acrobot-v1", "dqn", 100_000),
    "MountainCar-v0 dqn": ("MountainCar-v0", "dqn", 120_000),
    "LunarLander-v3 dqn": ("LunarLander-v3", "dqn", 100_000),
    "CartPole-v1 actor-critic": ("CartPole-v1", "actor-critic", 500_000),
    "Pendulum-v1 actor-critic": ("Pendulum-v1", "actor-critic", 1_000_000),
    "LunarLander-v3 actor-critic": ("LunarLander-v3", "actor-critic", 200_000),
    "Pendulum-v1 ddpg": ("Pendulum-v1", "ddpg", 20_000),
    "LunarLanderContinuous-v3 ddpg": ("LunarLanderContinuous-v3", "ddpg", 300_000),
}
"""By name: the environment, the model, and the steps of the peer, which are those of the zoo."""
_WIDE = {"policy_kwargs": {"net_arch": [256, 256]}}
_LANDER: dict[str, Any] = {
    "learning_rate": 6.3e-4, "batch_size": 128, "buffer_size": 50_000, "learning_starts": 0, "gamma": 0.99,
    "target_update_interval": 250, "train_freq": 4, "gradient_steps": -1, "exploration_fraction": 0.12,
    "exploration_final_eps": 0.1, **_WIDE,
}  # fmt: skip
_DDPG: dict[str, Any] = {
    "gamma": 0.98, "buffer_size": 200_000, "learning_starts": 10_000, "learning_rate": 1e-3, "train_freq": 1,
    "gradient_steps": 1, "noise": 0.1, "policy_kwargs": {"net_arch": [400, 300]},
}  # fmt: skip
ZOO: dict[str, dict[str, Any]] = {
    "CartPole-v1 dqn": {
        "learning_rate": 2.3e-3, "batch_size": 64, "buffer_size": 100_000, "learning_starts": 1000, "gamma": 0.99,
        "target_update_interval": 10, "train_freq": 256, "gradient_steps": 128, "exploration_fraction": 0.16,
        "exploration_final_eps": 0.04, **_WIDE,
    },
    "Acrobot-v1 dqn": _LANDER,
    "MountainCar-v0 dqn": {
        "learning_rate": 4e-3, "batch_size": 128, "buffer_size": 10_000, "learning_starts": 1000, "gamma": 0.98,
        "target_update_interval": 600, "train_freq": 16, "gradient_steps": 8, "exploration_fraction": 0.2,
        "exploration_final_eps": 0.07, **_WIDE,
    },
    "LunarLander-v3 dqn": _LANDER,
    "CartPole-v1 actor-critic": {"n_envs": 8, "ent_coef": 0.0},
    "Pendulum-v1 actor-critic": {
        "n_envs": 8, "normalize": True, "ent_coef": 0.0, "max_grad_norm": 0.5, "n_steps": 8, "gae_lambda": 0.9,
        "vf_coef": 0.4, "gamma": 0.9, "use_rms_prop": True, "normalize_advantage": False, "learning_rate": 7e-4,
        "linear": True, "use_sde": True, "policy_kwargs": {"log_std_init": -2, "ortho_init": False},
    },
    "LunarLander-v3 actor-critic": {
        "n_envs": 8, "n_steps": 5, "gamma": 0.995, "learning_rate": 8.3e-4, "linear": True, "ent_coef": 1e-5,
    },
    "Pendulum-v1 ddpg": _DDPG,
    "LunarLanderContinuous-v3 ddpg": _DDPG,
}  # fmt: skip
"""The peer's settings: those of RL Baselines3 Zoo, `linear` a learning rate that falls to 0."""
BAR = "Bars, to the same return: dqn at a third of the peer's CPU seconds, ddpg at a half, actor-critic at a fifth."


def headwater_agent(environment: str, model: str, steps: int, seed: int) -> dict[str, Any]:
    """`headwater adapt` with what it takes by itself; the steps are the peer's and have no part."""
    import headwater
    from headwater.settings import Settings

    with Stopwatch() as learning:
        app: Any = headwater.adapt("control", environment, model=model, seed=seed, episodes=1)
    app.settings = Settings(seed=seed)
    found = app.evaluate().metrics
    return {
        "return": found["return"].value, "lowest": found["return_lowest"].value, "learning": learning.cpu_seconds,
        "steps": app.standing.done,
    }  # fmt: skip


def stable_baselines3(
    environment: str, model: str, steps: int, seed: int, settings: dict[str, Any]
) -> dict[str, Any]:  # fmt: skip
    """The peer with the zoo's settings, an entry of `ZOO`; imported from the peers' environment."""
    import numpy as np
    import stable_baselines3  # pyrefly: ignore[missing-import]
    from stable_baselines3.common.env_util import make_vec_env  # pyrefly: ignore[missing-import]
    from stable_baselines3.common.evaluation import evaluate_policy  # pyrefly: ignore[missing-import]
    from stable_baselines3.common.noise import NormalActionNoise  # pyrefly: ignore[missing-import]
    from stable_baselines3.common.vec_env import VecNormalize  # pyrefly: ignore[missing-import]

    given = dict(settings)
    count, normalised = given.pop("n_envs", 1), given.pop("normalize", False)
    if "noise" in given:
        spread = given.pop("noise")
        size = make_vec_env(environment, 1).action_space.shape[0]
        given["action_noise"] = NormalActionNoise(np.zeros(size), spread * np.ones(size))
    if given.pop("linear", False):
        first = given["learning_rate"]
        given["learning_rate"] = lambda left: left * first
    kind = {"dqn": "DQN", "ddpg": "DDPG", "actor-critic": "A2C"}[model]
    envs = make_vec_env(environment, count, seed=seed)
    envs = VecNormalize(envs, gamma=given.get("gamma", 0.99)) if normalised else envs
    with Stopwatch() as learning:
        agent = getattr(stable_baselines3, kind)("MlpPolicy", envs, seed=seed, device="cpu", **given)
        agent.learn(steps)
    test = make_vec_env(environment, 1, seed=10_000 + seed)
    if normalised:
        test = VecNormalize(test, training=False, norm_reward=False)
        test.obs_rms = envs.obs_rms
    returns, _ = evaluate_policy(agent, test, n_eval_episodes=100, return_episode_rewards=True)
    return {"return": float(np.mean(returns)), "lowest": float(min(returns)), "learning": learning.cpu_seconds,
            "steps": steps}  # fmt: skip


def compare(bench: Bench) -> None:
    """Measures both sides in turn in each environment; one table for all."""
    rows = []
    for name in list(RUNS)[:1] if bench.options.quick else bench.options.only:
        environment, model, steps = RUNS[name]
        ours, theirs = [], []
        for seed in bench.seeds:
            asked = {"environment": environment, "model": model, "steps": steps, "seed": seed}
            ours.append(bench.measure("headwater", **asked))
            theirs.append(bench.measure(PEER, python=peers.python(), **asked, settings=ZOO[name]))
        faster = [_learning(second) / _learning(first) for first, second in zip(ours, theirs, strict=True)]
        rows += [_row(name, "headwater", ours, str(Spread.of(faster))), _row(name, PEER, theirs, "1")]
    columns = (
        "environment, model", "side", "steps", "mean return", "std of trainings", "least to most", "lowest episode",
        "learning CPU s", "times faster",
    )  # fmt: skip
    publish(bench, [Table(f"Trainings of one seed each. {BAR}", columns, rows)])


def _learning(one: Measured) -> float:
    return float(one.values["learning"])


def _row(name: str, side: str, measured: list[Measured], share: str) -> tuple[str, ...]:
    returns = [one.values["return"] for one in measured]
    spread = f"{stdev(returns):.1f}" if len(returns) > 1 else "-"
    lowest = min(one.values["lowest"] for one in measured)
    return (
        name, side, f"{measured[0].values['steps']:,}", f"{mean(returns):.1f}", spread,
        f"{min(returns):.1f} to {max(returns):.1f}", f"{lowest:.0f}", str(Spread.of(map(_learning, measured))), share,
    )  # fmt: skip


FLAGS: dict[str, dict[str, Any]] = {
    "--only": {"nargs": "+", "choices": list(RUNS), "default": list(RUNS), "help": "some of the runs"}
}
SIDES = {"headwater": headwater_agent, PEER: stable_baselines3}

if __name__ == "__main__":
    main(Path(__file__), SIDES, compare, seeds=5, flags=FLAGS)
