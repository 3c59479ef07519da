"""Control: headwater's agents beside Stable-Baselines3 with its tuned settings, in the same environments.

Stable-Baselines3 has the settings of RL Baselines3 Zoo and lives in an environment of its own (`peers.py`); headwater
has what it takes by itself. A training is one seed; what it is worth is the mean return of 100 episodes with the best
action, which no training met. CPU seconds are of the learning alone; headwater's include the episodes that choose its
policy, the peer plays none. The two learn for as many steps as suits each, which the table tells. To the same
return: the share of its CPU seconds that headwater's training had spent, by its steps, when its policy first scored
no less than the mean of the peer's trainings are worth; the ratio of the two is beside it. Run it with `--threads 1`,
the fastest for both; `--only` measures some environments, each of which has a result of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
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
BARS = {
    "CartPole-v1 dqn": "500 on all seeds; 3 times faster",
    "Acrobot-v1 dqn": "-76.6, as in the zoo's table; 3 times faster",
    "MountainCar-v0 dqn": "-100.8, as in the zoo's table; 3 times faster",
    "LunarLander-v3 dqn": "154.4, as in the zoo's table; 3 times faster",
    "CartPole-v1 actor-critic": "500; 5 times faster",
    "Pendulum-v1 actor-critic": "-163.0, as in the zoo's table; 5 times faster",
    "LunarLander-v3 actor-critic": "155.8, as in the zoo's table; 5 times faster",
    "Pendulum-v1 ddpg": "-150; 2 times faster",
    "LunarLanderContinuous-v3 ddpg": "230.2, as in the zoo's table; 2 times faster",
}
"""What headwater is to come to. The zoo's table has one training of each, the best that was kept."""


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
        "steps": app.standing.done, "curve": [[row["step"], row["score"]] for row in app.standing.curve],
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
    """Measures both sides in turn in each environment; a result for each."""
    columns = (
        "environment, model", "side", "steps", "mean return", "std of trainings", "least to most", "lowest episode",
        "learning CPU s", "times faster", "to the same return, CPU s", "times faster to it",
    )  # fmt: skip
    for name in list(RUNS)[:1] if bench.options.quick else bench.options.only:
        environment, model, steps = RUNS[name]
        ours, theirs = [], []
        for seed in bench.seeds:
            asked = {"environment": environment, "model": model, "steps": steps, "seed": seed}
            ours.append(bench.measure("headwater", **asked))
            theirs.append(bench.measure(PEER, python=peers.python(), **asked, settings=ZOO[name]))
        same = [_until(one, mean(other.values["return"] for other in theirs)) for one in ours]
        rows = [
            (
                *_row(name, "headwater", ours),
                *_against(theirs, list(map(_learning, ours)))[1:],
                *_against(theirs, same),
            ),
            (*_row(name, PEER, theirs), "1", "", ""),
        ]
        caption = f"{environment}, {model}: one training a seed. Bar: {BARS[name]}."
        publish(bench, [Table(caption, columns, rows)], name=f"{bench.name}_{environment}_{model}".lower())


def _learning(one: Measured) -> float:
    return float(one.values["learning"])


def _until(one: Measured, worth: float) -> float | None:
    """The CPU seconds after which a training first had a policy worth that much; None where it never had."""
    reached = next((step for step, score in one.values["curve"] if score >= worth), None)
    return None if reached is None else _learning(one) * reached / one.values["steps"]


def _against(theirs: list[Measured], seconds: Sequence[float | None]) -> tuple[str, str]:
    """CPU seconds, and how many times as many the peer took in the training of the same seed."""
    known = [(own, _learning(other)) for own, other in zip(seconds, theirs, strict=True) if own is not None]
    if len(known) < len(seconds):
        return f"{len(known)} of {len(seconds)} came there", ""
    return str(Spread.of(own for own, _ in known)), str(Spread.of(other / own for own, other in known))


def _row(name: str, side: str, measured: list[Measured]) -> tuple[str, ...]:
    returns = [one.values["return"] for one in measured]
    spread = f"{stdev(returns):.1f}" if len(returns) > 1 else "-"
    lowest = min(one.values["lowest"] for one in measured)
    return (
        name, side, f"{measured[0].values['steps']:,}", f"{mean(returns):.1f}", spread,
        f"{min(returns):.1f} to {max(returns):.1f}", f"{lowest:.0f}", str(Spread.of(map(_learning, measured))),
    )  # fmt: skip


FLAGS: dict[str, dict[str, Any]] = {
    "--only": {"nargs": "+", "choices": list(RUNS), "default": list(RUNS), "help": "some of the runs"}
}
SIDES = {"headwater": headwater_agent, PEER: stable_baselines3}

if __name__ == "__main__":
    main(Path(__file__), SIDES, compare, seeds=5, flags=FLAGS)
