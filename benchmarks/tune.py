"""What a search gains: `tune` with a fixed number of trials beside `adapt` with the defaults, on 1,000 rows.

Both sides learn from the same 1,000 rows, drawn class by class, and are measured on the whole test part. The first
trial of a search is what `adapt` does, and validation rows choose among the trials: SST-2 brings 872 of its own, of
the other set a tenth of the 1,000 rows is held out, so that there the choice is by 100 rows. `promised` is how much
better the winner was than the defaults on the rows that chose it, `kept` what was left of that on the test rows.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from statistics import mean
from typing import Any

import data
import ours
from harness import Bench, Measured, main
from results import Spread, Table, publish

SETS = ("sst2", "ag_news_small")
MODELS = ("cnn", "minilm")
ROWS = 1000


def tune(
    train: str, test: str, *, model: str, trials: int, valid: str | None = None, **settings: Any
) -> dict[str, Any]:
    """One whole `tune`, from reading to the page of the search."""
    import headwater

    folder = Path(tempfile.mkdtemp()) / "run"
    app = headwater.tune(
        "text-classification", train, model=model, trials=trials, to=folder, valid=valid, test=test,
        text="text", target="label", offline=True, **settings,
    )  # fmt: skip
    found = json.loads((folder / "search.json").read_text("utf-8"))
    if app.report is None:
        raise SystemExit("tune made no report.")
    by_number = {trial["number"]: trial for trial in found["trials"]}
    gain = found["gains"].get("validation")
    return {
        "accuracy": app.report.metrics["accuracy"].value,
        "promised": gain["value"] if gain else 0.0,
        "winner": by_number[found["best"]]["values"],
        "states": [trial["state"] for trial in found["trials"]],
        "seconds": [trial["seconds"] for trial in found["trials"]],
    }


def compare(bench: Bench) -> None:
    """Measures set by set and model by model; one table."""
    rows = []
    for name in bench.options.only or SETS[: 1 if bench.options.quick else None]:
        prepared = data.prepare(name, bench.options.data)
        for model in bench.options.models or MODELS[: 1 if bench.options.quick else None]:
            rows += _rows(bench, prepared, model)
    caption = (
        f"Test accuracy, means over the seeds, after {_trials(bench)} trials of each search; costs of the whole "
        "process as median (least to most)."
    )
    columns = ("data", "model", "side", "accuracy", "by seed", "promised", "kept", "pruned", "CPU s")
    publish(bench, [Table(caption, columns, rows)])


def _rows(bench: Bench, prepared: data.DataSet, model: str) -> list[tuple[Any, ...]]:
    size, trials = (200, 3) if bench.options.quick else (ROWS, _trials(bench))
    sides: dict[str, list[Measured]] = {"defaults": [], "tuned": []}
    for seed in bench.seeds:
        files = prepared.files | {"train": str(data.part_of(prepared.train, size, seed))}
        sides["defaults"].append(bench.measure("adapt", **files, model=model, seed=seed))
        sides["tuned"].append(bench.measure("tune", **files, model=model, seed=seed, trials=trials))
    pairs = list(zip(sides["tuned"], sides["defaults"], strict=True))
    kept = [tuned.values["accuracy"] - before.values["accuracy"] for tuned, before in pairs]
    promised = [tuned.values["promised"] for tuned, _ in pairs]
    pruned = [tuned.values["states"].count("pruned") for tuned, _ in pairs]
    more = {"tuned": (f"{mean(promised):+.4f}", f"{mean(kept):+.4f}", Spread.of(pruned)), "defaults": ("", "", "")}
    return [(prepared.name, model, side, *_accuracy(runs), *more[side], _cost(runs)) for side, runs in sides.items()]


def _trials(bench: Bench) -> int:
    return bench.options.trials


def _accuracy(runs: list[Measured]) -> tuple[str, str]:
    found = [run.values["accuracy"] for run in runs]
    return f"{mean(found):.4f}", ", ".join(f"{value:.4f}" for value in found)


def _cost(runs: list[Measured]) -> Spread:
    return Spread.of(run.cpu_seconds for run in runs)


FLAGS: dict[str, dict[str, Any]] = {
    "--trials": {"type": int, "default": 20, "help": "trials of each search (default: %(default)s)"},
    "--only": {"nargs": "+", "choices": SETS, "help": "these sets"},
    "--models": {"nargs": "+", "help": "these models"},
}

if __name__ == "__main__":
    main(Path(__file__), {"adapt": ours.adapt, "tune": tune}, compare, flags=FLAGS)
