"""Few labels: headwater's `few-shot`, `probe` and `auto` beside SetFit, with the same body on the same draws.

SetFit 1.2.0 trains the embedded MiniLM contrastively and puts a logistic regression on it: one epoch, batches of 16
pairs, and the 20 rounds of pairs of its paper (`num_iterations=20`), everything else by default. It runs in an
environment of its own (`peers.py`) with the same torch and transformers. Accuracy is on the whole test part. Costs are
those of the whole process, imports and test included, and of the learning alone: of `headwater adapt` from the file to
the run's report, and of SetFit's `train`. A draw takes so many rows of each class at random; all sides see the same.

`--sets`, `--sizes` and `--only` measure a part; SetFit takes hours on the long texts of newsgroups20.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import data
import ours
import peers
from harness import Bench, Measured, Stopwatch, main
from results import Spread, Table, publish, ratio

SETS = ("sst2", "ag_news_small", "newsgroups20")
SIZES = (1, 2, 4, 8, 16, 64)
PEER = "SetFit"
_DRAWS = {64: 3}
"""Draws of a size whose peer takes too long for all: SetFit's pairs take it from 10 to 25 minutes a draw."""
_ROWS_ASIDE = 20
STRATEGIES = ("few-shot", "probe", "auto")
BAR = (
    "Bar at 8 and 16 rows a class: the mean accuracy of `few-shot` is at least SetFit's, at 0.2 times its CPU seconds."
)


def headwater_few(train: str, test: str, aside: str, strategy: str, seed: int) -> dict[str, Any]:
    """`headwater adapt` on the draw, with a report on a few of the test rows; then the whole test part."""
    import headwater
    import headwater.language.classification.pretrained  # the libraries, which SetFit has imported by then too

    given = {"text": "text", "target": "label", "offline": True, "model": "minilm", "strategy": strategy, "seed": seed}
    with Stopwatch() as learning:
        app = headwater.adapt("text-classification", train, test=aside, to=Path(tempfile.mkdtemp()) / "run", **given)
    return {"accuracy": app.evaluate(test).metrics["accuracy"].value, "learning": learning.cpu_seconds}


def setfit(train: str, test: str, folder: str, seed: int) -> dict[str, Any]:
    """SetFit on the draw; imported from the peers' environment."""
    from datasets import Dataset
    from setfit import SetFitModel, Trainer, TrainingArguments  # pyrefly: ignore[missing-import]

    texts, labels = data.read(train)
    model: Any = SetFitModel.from_pretrained(folder, labels=sorted(set(labels)))
    arguments = TrainingArguments(
        output_dir=tempfile.mkdtemp(), seed=seed, num_iterations=20, save_strategy="no", report_to="none"
    )
    rows: Any = Dataset.from_dict({"text": texts, "label": labels})
    with Stopwatch() as learning:
        Trainer(model=model, args=arguments, train_dataset=rows).train()
    texts, labels = data.read(test)
    answers = [str(answer) for answer in model.predict(texts)]
    right = mean(answer == label for answer, label in zip(answers, labels, strict=True))
    return {"accuracy": right, "learning": learning.cpu_seconds}


def compare(bench: Bench) -> None:
    """Measures the sides in turn on each draw; a table and files of its own for each set."""
    for name in SETS[:1] if bench.options.quick else bench.options.sets:
        bench.measured.clear()
        prepared, rows = data.prepare(name, bench.options.data), []
        for size in (8,) if bench.options.quick else bench.options.sizes:
            draws = [_draw(bench, prepared, size, seed) for seed in bench.seeds[: _DRAWS.get(size)]]
            rows += [_row(size, side, draws) for side in bench.options.only]
        caption = (
            f"{name}: test accuracy over the draws with the 95 % interval of its mean (Student's t), and the same of "
            f"its difference to {PEER} within draws. Costs: median (least to most). {BAR}"
        )
        costs = ("CPU s", f"CPU to {PEER}", "of learning", f"learning to {PEER}", "peak MiB")
        columns = ("rows a class", "side", "accuracy", "std", "least to most", f"to {PEER}", *costs)
        publish(bench, [Table(caption, columns, rows)], name=f"{bench.name}_{name}")


def _draw(bench: Bench, prepared: data.DataSet, size: int, seed: int) -> dict[str, Measured]:
    files = {"train": str(data.few_of(prepared.train, size, seed)), "test": str(prepared.test)}
    if bench.options.quick:
        files["test"] = str(data.part_of(prepared.test, 200, seed))
    aside = str(data.part_of(prepared.test, _ROWS_ASIDE, 0))
    found = {}
    for side in bench.options.only:
        if side == PEER:
            found[side] = bench.measure("setfit", python=peers.python(), **files, folder=ours.minilm(), seed=seed)
        else:
            found[side] = bench.measure("headwater", **files, aside=aside, strategy=side, seed=seed)
    return found


def _row(size: int, side: str, draws: list[dict[str, Measured]]) -> tuple[Any, ...]:
    runs = [draw[side] for draw in draws]
    accuracies = [run.values["accuracy"] for run in runs]
    spread = f"{stdev(accuracies):.4f}" if len(accuracies) > 1 else ""
    beside: tuple[Any, Any, Any] = ("", "", "")
    if PEER in draws[0] and side != PEER:
        gains = [draw[side].values["accuracy"] - draw[PEER].values["accuracy"] for draw in draws]
        whole = ratio([(draw[PEER], draw[side]) for draw in draws], "cpu_seconds")
        timed = [draw for draw in draws if _learning(draw[side]) and _learning(draw[PEER])]
        part = Spread.of(_learning(draw[side]) / _learning(draw[PEER]) for draw in timed) if timed else ""
        beside = (_mean(gains, "+.4f"), whole, part)
    learning = [_learning(run) for run in runs if _learning(run)]
    costs = (
        Spread.of(run.cpu_seconds for run in runs), beside[1], Spread.of(learning) if learning else "", beside[2],
        Spread.of(run.peak_mib for run in runs),
    )  # fmt: skip
    extremes = f"{min(accuracies):.3f} to {max(accuracies):.3f}"
    return size, side, _mean(accuracies, ".4f"), spread, extremes, beside[0], *costs


def _learning(run: Measured) -> float:
    """CPU seconds of the learning alone; 0 where they were not taken, as before they had a column."""
    return float(run.values.get("learning", 0))


def _mean(values: list[float], form: str) -> str:
    """The mean with its 95 % interval, where there is more than one value."""
    from scipy.stats import t

    if len(values) < 2:
        return f"{mean(values):{form}}"
    reach = float(t.ppf(0.975, len(values) - 1)) * stdev(values) / len(values) ** 0.5
    return f"{mean(values):{form}} [{mean(values) - reach:{form}}, {mean(values) + reach:{form}}]"


SIDES = {"headwater": headwater_few, "setfit": setfit}
FLAGS: dict[str, dict[str, Any]] = {
    "--sets": {"nargs": "+", "choices": SETS, "default": SETS, "help": "the sets (default: all)"},
    "--sizes": {"nargs": "+", "type": int, "default": SIZES, "help": "rows a class (default: all)"},
    "--only": {
        "nargs": "+", "choices": (PEER, *STRATEGIES), "default": (PEER, *STRATEGIES), "help": "the sides (default: all)"
    },
}  # fmt: skip

if __name__ == "__main__":
    main(Path(__file__), SIDES, compare, seeds=10, flags=FLAGS)
