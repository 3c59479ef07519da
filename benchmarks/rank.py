"""Does `rank` know beforehand which model will be best?

Every basic model, and eight foundations of known making out of MiniLM (`variants.py`: as it is, tuned further as a
masked language model, its first three layers alone, its last one, three or all six layers begun anew, every weight half
way to a random one, not trained at all), meet the same training rows of each set. `rank` scores them as
`headwater rank` does: foundations by frozen features, basic models by fits on folds. The truth is the test accuracy
after `adapt` on those rows, of foundations with `--strategy full`. A score is as good as its weighted Kendall tau with
the truth (Vigna 2015: a wrong order among the best weighs most). The bar is a tau of 0.7 on every set. Texts are cut at
`--max-length` tokens on both sides, and `--rows`, `--only` and `--models` make it smaller, so that the truth can be
paid for.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

import data
import ours
import variants
from harness import Bench, Measured, main
from headwater import catalog
from results import Spread, Table, publish

SETS = ("sst2", "ag_news_small", "amazon_kitchen", "chnsenticorp_htl", "newsgroups20")
SCORES: dict[str, Sequence[str]] = {
    "held-out rows": ("score",),
    "k-NN": ("knn",),
    "LogME": ("logme",),
    "H-score": ("h_score",),
    "held-out rows and LogME": ("score", "logme"),
    "all four": ("score", "knn", "logme", "h_score"),
}
"""What is compared with the truth; several scores are joined by the mean of the places that they give."""


def truth(train: str, test: str, model: str, max_length: int, seed: int) -> dict[str, Any]:
    """What a model comes to when it is trained in full."""
    found = ours.adapt(train, test, model=model, max_length=max_length, seed=seed, **ours.adapted_by(model, "full"))
    return {"accuracy": found["accuracy"], "low": found["low"], "high": found["high"]}


def scores(train: str, model: str, max_length: int, seed: int) -> dict[str, Any]:
    """What `rank` says of a model."""
    from headwater.language.classification.task import TextClassification
    from headwater.ranking import candidates, shortlist
    from headwater.run import Run
    from headwater.settings import Settings

    settings = Settings(text=("text",), target=("label",), max_length=max_length, seed=seed, offline=True)
    sample = shortlist.draw(TextClassification(settings=settings), train, 100_000)
    run = Run(settings, Path(tempfile.mkdtemp()))
    found = candidates.measure("text-classification", model, sample.examples, run)
    return {
        "score": found.score.value, "knn": found.knn.value, "logme": found.logme, "h_score": found.h_score,
        "rows": len(sample.examples), "seconds": found.cost.seconds,
        "parameters": found.cost.parameters,
    }  # fmt: skip


def compare(bench: Bench) -> None:
    """Measures set by set; the taus, then a table for each set."""
    models, names = _models(bench), bench.options.only or (SETS[:1] if bench.options.quick else SETS)
    runs = {name: _measure(bench, data.prepare(name, bench.options.data), models) for name in names}
    every = (
        f"{bench.options.rows} training rows, {bench.options.test_rows} test rows, {bench.options.max_length} tokens."
    )
    tables = [
        _taus(f"All models, {every} Weighted tau with the truth; bar: 0.7.", runs, lambda _: True),
        _taus("The same among the foundations alone.", runs, lambda model: model in variants.VARIANTS),
    ]
    publish(bench, [*tables, *(_table(name, found) for name, found in runs.items())])


def _measure(
    bench: Bench, prepared: data.DataSet, models: Mapping[str, str]
) -> dict[str, list[tuple[Measured, Measured]]]:
    """For each model, a pair of what was said and what came true, one a seed."""
    found: dict[str, list[tuple[Measured, Measured]]] = {name: [] for name in models}
    length = bench.options.max_length
    for seed in bench.seeds:
        files = _files(bench, prepared, seed)
        for name, model in models.items():
            said = bench.measure("scores", train=files["train"], model=model, max_length=length, seed=seed)
            found[name].append((said, bench.measure("truth", **files, model=model, max_length=length, seed=seed)))
    return found


def _files(bench: Bench, prepared: data.DataSet, seed: int) -> dict[str, str]:
    train = data.part_of(prepared.train, bench.options.rows, seed)
    return {"train": str(train), "test": str(data.part_of(prepared.test, bench.options.test_rows, 0))}


def _models(bench: Bench) -> dict[str, str]:
    """The name of each model, and what `--model` takes for it; variants are made where they are not yet."""
    found = {}
    for name in bench.options.models or [
        *(model.name for model in catalog.models("text-classification")),
        *variants.VARIANTS,
    ]:
        found[name] = name
        if name in variants.VARIANTS:
            folder = variants.FOLDER / name
            if not (folder / "sentence_bert_config.json").exists():
                corpus = bench.options.data / "text_pretrain_en"
                bench.measure("make", name=name, folder=str(folder), corpus=str(corpus))
            found[name] = str(folder)
    return found


def _taus(caption: str, runs: dict[str, Any], wanted: Callable[[str], bool]) -> Table:
    rows = []
    for title, keys in SCORES.items():
        found = [_tau({name: pairs for name, pairs in of.items() if wanted(name)}, keys) for of in runs.values()]
        # Where all models come to the same accuracy in the end there is no order to know.
        told = [tau for tau in found if not math.isnan(tau)]
        shown = ["-" if math.isnan(tau) else f"{tau:+.3f}" for tau in found]
        rows.append((title, *shown, f"{mean(told):+.3f}", f"{min(told):+.3f}"))
    return Table(caption, ("score", *runs, "mean", "least"), rows)


def _tau(of_set: dict[str, list[tuple[Measured, Measured]]], keys: Sequence[str]) -> float:
    """The tau of a score, or of the mean place of several, on one set: the mean over the seeds."""
    from scipy.stats import rankdata, weightedtau

    taus = []
    for pairs in zip(*of_set.values(), strict=True):
        said = [[pair[0].values[key] for pair in pairs] for key in keys]
        joined = said[0] if len(keys) == 1 else sum(rankdata(values) for values in said)
        taus.append(float(weightedtau(joined, [pair[1].values["accuracy"] for pair in pairs]).statistic))
    return mean(taus)


def _table(name: str, of_set: dict[str, list[tuple[Measured, Measured]]]) -> Table:
    rows = []
    for model, pairs in of_set.items():
        said, true = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
        means = [f"{mean(run.values[key] for run in said):.3f}" for key in ("score", "knn", "logme", "h_score")]
        costs = [Spread.of(run.cpu_seconds for run in side) for side in (said, true)]
        rows.append((model, f"{mean(run.values['accuracy'] for run in true):.3f}", *means, *costs))
    columns = ("model", "accuracy in the end", "held-out rows", "k-NN", "LogME", "H-score", "CPU s of rank", "of adapt")
    caption = f"{name}: what came true and what was said, means over the seeds; costs of whole processes."
    return Table(caption, columns, sorted(rows, key=lambda row: row[1], reverse=True))


FLAGS: dict[str, dict[str, Any]] = {
    "--only": {"nargs": "+", "choices": SETS, "help": "these sets"},
    "--models": {"nargs": "+", "help": "these models"},
    "--rows": {"type": int, "default": 1000, "help": "training rows (default: %(default)s)"},
    "--test-rows": {"type": int, "default": 1000, "help": "test rows (default: %(default)s)"},
    "--max-length": {"type": int, "default": 32, "help": "tokens of a text (default: %(default)s)"},
}

if __name__ == "__main__":
    main(Path(__file__), {"truth": truth, "scores": scores, "make": variants.make}, compare, seeds=1, flags=FLAGS)
