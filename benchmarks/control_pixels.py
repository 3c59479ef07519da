"""Control from pixels: a gridworld seen by a network from scratch, and by one that learnt to see before.

An agent is to go to a goal among walls, both at random places, and observes a picture of 64 by 64 pixels
(`gridworld.py`); the optimum is known by breadth-first search. Three ways to see: `scratch`, a convolutional network
that learns with the policy; `frozen`, an encoder from headwater's own pretraining without labels (`adapt
image-features`, simclr) on frames of random play, whose features are computed once; and `fine-tuned`, the same encoder,
learning with the policy. All else is the same, but that exploration falls over the first half of the steps, of which
the last way has fewer. Steps are counted until the policy between two lessons is worth 90 % of
the optimum in 10 to 50 episodes; the return is that of the policy kept, in 100 episodes that no training met. CPU
seconds are of the learning, all scores included; those of pretraining stand apart. Run it with `--threads 1`.
"""

from __future__ import annotations

from pathlib import Path
from statistics import mean
from typing import Any

from gridworld import Gridworld, optimum
from harness import WORK, Bench, Measured, Stopwatch, main
from results import Spread, Table, publish

WAYS = {"scratch": {}, "frozen": {"strategy": "probe"}, "fine-tuned": {"strategy": "full"}}
"""What each is told beside what all are."""
SHARE = 0.9
FRAMES, EPOCHS = 1000, 20
STEPS = {"scratch": 8000, "frozen": 8000, "fine-tuned": 5000}
"""Fewer where an update takes so much longer."""
EVERY = 250
"""Steps between two scores."""
AGENT: dict[str, Any] = {
    "model": "dqn", "hidden": (256,), "batch": 32, "gamma": 0.9, "learning_rate": 5e-4, "tau": 0.02, "double": False,
    "exploring": 0.5, "exploration_end": 0.1, "buffer": 20_000, "episodes": 100,
}  # fmt: skip


def pretraining(seed: int, folder: str, frames: int, epochs: int) -> dict[str, Any]:
    """Learns to see from frames of random play, without being told what is in them."""
    import headwater

    pictures = Path(folder, "frames")
    write_frames(pictures, frames, seed)
    with Stopwatch() as learning:
        headwater.adapt(
            "image-features", str(pictures), model="simclr", width=16, crop=0.8, colour=0.1, epochs=epochs,
            batch_size=64, seed=seed, offline=True, to=Path(folder, "run"),
        )  # fmt: skip
    return {"learning": learning.cpu_seconds, "frames": frames}


def write_frames(folder: Path, count: int, seed: int) -> None:
    """Some of the frames of random play, a PNG each."""
    import numpy as np
    from PIL import Image

    folder.mkdir(parents=True)
    random, world = np.random.default_rng(seed), Gridworld()
    seen, _ = world.reset(seed=seed)
    for number in range(count):
        Image.fromarray(seen).save(folder / f"{number:05}.png")
        for _ in range(4):  # frames that follow one another are much alike
            seen, _, over, cut, _ = world.step(int(random.integers(4)))
            if over or cut:
                seen, _ = world.reset()


def agent(way: str, seed: int, steps: int, encoder: str | None) -> dict[str, Any]:
    """A training, and what its policy is worth."""
    import headwater

    asked = AGENT | WAYS[way] | {"evaluations": max(1, steps // EVERY)}
    if encoder is not None:
        asked["encoder"] = encoder
    with Stopwatch() as learning:
        app: Any = headwater.adapt("control", Gridworld, seed=seed, steps=steps, offline=True, **asked)
    enough = SHARE * optimum()
    reached = next((row["step"] for row in app.standing.curve if row["score"] >= enough), None)
    return {
        "reached": reached, "return": app.report.metrics["return"].value, "learning": learning.cpu_seconds,
        "random": app.report.baselines["random"]["return"].value,
        "curve": [[row["step"], row["score"]] for row in app.standing.curve],
    }  # fmt: skip


def compare(bench: Bench) -> None:
    """Pretrains, then measures every way in turn; one table."""
    quick = bench.options.quick
    found: dict[str, list[Measured]] = {way: [] for way in bench.options.ways}
    costs = []
    for seed in bench.seeds:
        folder = WORK / f"control_pixels-{seed}-{'quick' if quick else 'whole'}"
        costs.append(_pretrained(bench, folder, seed))
        for way, runs in found.items():
            steps = 600 if quick else STEPS[way]
            encoder = None if way == "scratch" else str(folder / "run")
            runs.append(bench.measure("agent", way=way, seed=seed, steps=steps, encoder=encoder))
    columns = ("way to see", f"steps to {SHARE:.0%} of the optimum", "trainings that came there", "return",
               "learning CPU s", "pretraining CPU s")  # fmt: skip
    rows = [_row(way, runs, costs) for way, runs in found.items()]
    caption = (
        f"One seed each, by dqn. The optimum is {optimum():.3f}; random actions have {_random(found):.3f}. A "
        "training that did not come to 90 % counts with more than all its steps."
    )
    publish(bench, [Table(caption, columns, rows)])


def _pretrained(bench: Bench, folder: Path, seed: int) -> Measured:
    """Pretrains where it has not been done; an interrupted run that is resumed finds its encoder."""
    import shutil

    frames, epochs = (100, 1) if bench.options.quick else (FRAMES, EPOCHS)
    if not (bench.options.resume and (folder / "run" / "report.json").exists()):
        shutil.rmtree(folder, ignore_errors=True)
    return bench.measure("pretraining", seed=seed, folder=str(folder), frames=frames, epochs=epochs)


def _random(found: dict[str, list[Measured]]) -> float:
    """The mean return of random actions, in the test episodes of all trainings."""
    return mean(run.values["random"] for runs in found.values() for run in runs)


def _row(way: str, runs: list[Measured], costs: list[Measured]) -> tuple[str, ...]:
    most = runs[0].arguments["steps"]
    steps = [run.values["reached"] or most + 1 for run in runs]
    came = sum(run.values["reached"] is not None for run in runs)
    shown = [f"{one:,}" if one <= most else f"more than {most:,}" for one in sorted(steps)]
    returns = [run.values["return"] for run in runs]
    return (
        way, f"{shown[len(shown) // 2]} ({shown[0]} to {shown[-1]})", f"{came} of {len(runs)}",
        f"{mean(returns):.3f} ({min(returns):.3f} to {max(returns):.3f})",
        str(Spread.of(run.values["learning"] for run in runs)),
        "" if way == "scratch" else str(Spread.of(run.values["learning"] for run in costs)),
    )  # fmt: skip


FLAGS: dict[str, dict[str, Any]] = {
    "--ways": {"nargs": "+", "choices": list(WAYS), "default": list(WAYS), "help": "some of the ways to see"}
}

if __name__ == "__main__":
    main(Path(__file__), {"pretraining": pretraining, "agent": agent}, compare, seeds=5, flags=FLAGS)
