"""What an agent makes of demonstrations when it goes on online: imitation alone, and what more it is taught.

The demonstrations are whole episodes of a teacher, an agent of headwater stopped early or late. Every training
imitates them first. `critic`: what the actions shown are worth is then learnt from what came of them, before anything
else is. `rehearsal`: what was shown is still imitated in the first half of the training, with a falling weight, and
dqn does not begin with random actions. headwater does both; the other lines lack one or the other. A fall shows in the
first six of twenty lessons. Run it with `--threads 1`. The critic of dqn (2,000 updates from the replay memory, with
rehearsal at its full weight) was measured with commit 4b5a1c25 and left out after it, as it gained nothing: its
headwater is the line `rehearsal`.
"""

from __future__ import annotations

from pathlib import Path
from statistics import mean
from typing import Any

from harness import WORK, Bench, Measured, Stopwatch, main
from results import Spread, Table, publish

TEACHERS: dict[str, tuple[str, str, int, int, int]] = {
    "good": ("CartPole-v1", "dqn", 20_000, 0, 10),
    "middling": ("CartPole-v1", "dqn", 8_000, 3, 20),
    "swinging": ("Pendulum-v1", "ddpg", 8_000, 0, 10),
}
"""By name: environment, model, steps, seed, and how many episodes are shown."""
RUNS = {
    "dqn, good teacher": ("dqn", "good", 20_000),
    "dqn, middling teacher": ("dqn", "middling", 20_000),
    "actor-critic, middling teacher": ("actor-critic", "middling", 50_000),
    "actor-critic, Pendulum": ("actor-critic", "swinging", 100_000),
    "ddpg, Pendulum": ("ddpg", "swinging", 8_000),
}
"""By name: the model, its teacher, its steps."""
TAUGHT = ("imitation alone", "critic", "rehearsal", "both")


def training(model: str, teacher: str, steps: int, seed: int, taught: str, table: str) -> dict[str, Any]:
    """One training that begins with demonstrations; what it is not to be taught is taken out."""
    import headwater
    from headwater import catalog
    from headwater.control import course

    agent = catalog.model_class("control", model)
    if taught in ("imitation alone", "rehearsal"):
        agent.appraise = lambda *_: 0
    if taught in ("imitation alone", "critic"):
        course.Rehearsal = lambda _: None  # type: ignore[assignment, misc]
    environment = TEACHERS[teacher][0]
    with Stopwatch() as learning:
        app: Any = headwater.adapt("control", environment, model=model, steps=steps, seed=seed, demonstrations=table)
    scores = [row["score"] for row in app.standing.curve]
    return {
        "imitated": app.standing.imitated["score"], "scores": scores, "return": app.report.score.value,
        "learning": learning.cpu_seconds,
    }  # fmt: skip


def teaching(teacher: str, table: str) -> dict[str, Any]:
    """Writes the episodes of a teacher, and tells what it is worth."""
    import headwater

    environment, model, steps, seed, episodes = TEACHERS[teacher]
    app: Any = headwater.adapt("control", environment, model=model, steps=steps, seed=seed)
    return {"rows": app.record(table, episodes), "return": app.report.score.value}


def compare(bench: Bench) -> None:
    """Measures run by run; a table for each, one line for each thing taught."""
    folder = WORK / "demonstrations"
    folder.mkdir(exist_ok=True)
    tables, shown = [], dict[str, Measured]()
    for name in list(RUNS)[:1] if bench.options.quick else bench.options.only:
        model, teacher, steps = RUNS[name]
        table = str(folder / f"{teacher}.parquet")
        if teacher not in shown:
            shown[teacher] = bench.measure("teaching", teacher=teacher, table=table)
        asked = {"model": model, "teacher": teacher, "steps": steps, "table": table}
        rows = [_row(taught, [bench.measure("training", seed=seed, taught=taught, **asked) for seed in bench.seeds])
                for taught in TAUGHT]  # fmt: skip
        told = shown[teacher].values
        columns = ("taught", "its imitation", "lowest of the first 6 lessons", "mean of the first 6",
                   "mean of the last 5", "chosen policy, test episodes", "learning CPU s")  # fmt: skip
        title = f"{name}: {TEACHERS[teacher][0]}, {steps:,} steps, {told['rows']:,} rows of a teacher"
        tables.append(Table(f"{title} whose return is {told['return']:.0f}. One number a seed.", columns, rows))
    publish(bench, tables)


def _row(taught: str, runs: list[Measured]) -> tuple[Any, ...]:
    def each(pick: Any) -> str:
        found = [pick(run.values) for run in runs]
        return f"{mean(found):.0f} ({', '.join(f'{one:.0f}' for one in found)})"

    return (
        taught, each(lambda one: one["imitated"]), each(lambda one: min(one["scores"][:6])),
        each(lambda one: mean(one["scores"][:6])), each(lambda one: mean(one["scores"][-5:])),
        each(lambda one: one["return"]), Spread.of(run.values["learning"] for run in runs),
    )  # fmt: skip


FLAGS: dict[str, dict[str, Any]] = {
    "--only": {"nargs": "+", "choices": list(RUNS), "default": list(RUNS), "help": "some of the runs"}
}

if __name__ == "__main__":
    main(Path(__file__), {"training": training, "teaching": teaching}, compare, flags=FLAGS)
