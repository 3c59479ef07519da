"""Every model of the catalog on every text set: accuracy with its interval, macro-F1, and cost.

The base figure of a set is TF-IDF with logistic regression as measured when the data was collected, beside the data
in its index. The row `scikit-learn` is that recipe on the very rows of the others: words and pairs of words, or for
Chinese one to three characters, and logistic regression, all by default. Newsgroups come without headers, quotations
and signatures; the base figure was measured with the headers, so `newsgroups20_headers` repeats the two TF-IDF models
with them. ChnSentiCorp has one split (80/20, seed 0); SST-2 brings validation rows of its own. `minilm` is the
embedded foundation (English only) with the strategy `probe`.
"""

from __future__ import annotations

from pathlib import Path
from statistics import mean
from typing import Any

import data
import ours
from harness import Bench, Measured, main
from headwater import catalog
from results import Spread, Table, publish

SETS = ("sst2", "ag_news_small", "newsgroups20", "newsgroups20_headers", "chnsenticorp_htl")
FOUNDATION = {"strategy": "probe"}
_ALL_SEEDS = ("sst2",)
"""Sets of which every seed is measured; of the others, whose recurrent models take minutes each, the first."""


def scikit_learn(train: str, test: str, valid: str | None = None) -> dict[str, Any]:
    """The recipe of the base figures; it needs no validation rows and leaves them alone."""
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import f1_score
    from sklearn.pipeline import make_pipeline

    texts, labels = data.read(train)
    chinese = any("\u4e00" <= character <= "\u9fff" for text in texts[:100] for character in text)
    how: Any = {"analyzer": "char", "ngram_range": (1, 3)} if chinese else {"ngram_range": (1, 2)}
    model = make_pipeline(TfidfVectorizer(**how), LogisticRegression(max_iter=1000)).fit(texts, labels)
    texts, truth = data.read(test)
    answers = model.predict(texts)
    accuracy = float(np.mean(answers == np.asarray(truth)))
    half = 1.96 * (accuracy * (1 - accuracy) / len(truth)) ** 0.5
    macro_f1 = float(f1_score(truth, answers, average="macro"))
    return {"accuracy": accuracy, "low": accuracy - half, "high": accuracy + half, "macro_f1": macro_f1}


def compare(bench: Bench) -> None:
    """Measures model by model; a table for each set."""
    sets = bench.options.only or (("sst2",) if bench.options.quick else SETS)
    publish(bench, [_table(bench, data.prepare(name, bench.options.data)) for name in sets])


def _table(bench: Bench, prepared: data.DataSet) -> Table:
    names = bench.options.models or catalog.model_names("text-classification")
    if prepared.name.endswith("_headers"):
        names = [name for name in names if name.startswith("tfidf")]
    files = prepared.files
    if bench.options.quick:
        files["train"] = str(data.part_of(prepared.train, 300, 0))
    rows = [_row("scikit-learn", [bench.measure("scikit_learn", **files)], prepared.base)]
    for name in names:
        extra = {} if catalog.foundation(name) is None else FOUNDATION
        seeds = bench.seeds if prepared.name in _ALL_SEEDS else bench.seeds[:1]
        runs = [bench.measure("headwater", **files, model=name, seed=seed, **extra) for seed in seeds]
        rows.append(_row(name, runs, prepared.base))
    base = "has no base figure on record" if prepared.base is None else f"base {prepared.base}"
    caption = (
        f"{prepared.name} ({base}): means over the seeds, the 95 % interval of the first; costs as median (range)."
    )
    return Table(
        caption, ("model", "accuracy", "by seed", "interval", "to base", "macro-F1", "CPU s", "peak MiB"), rows
    )


def _row(name: str, runs: list[Measured], base: float | None) -> tuple[Any, ...]:
    accuracies = [run.values["accuracy"] for run in runs]
    accuracy, first = mean(accuracies), runs[0].values
    return (
        name,
        f"{accuracy:.4f}",
        ", ".join(f"{one:.4f}" for one in accuracies),
        f"{first['low']:.3f} to {first['high']:.3f}",
        "" if base is None else f"{accuracy - base:+.4f}",
        f"{mean(run.values['macro_f1'] for run in runs):.4f}",
        Spread.of(run.cpu_seconds for run in runs),
        Spread.of(run.peak_mib for run in runs),
    )


FLAGS: dict[str, dict[str, Any]] = {
    "--only": {"nargs": "+", "choices": SETS, "help": "these sets"},
    "--models": {"nargs": "+", "help": "these models"},
}

if __name__ == "__main__":
    main(Path(__file__), {"headwater": ours.adapt, "scikit_learn": scikit_learn}, compare, flags=FLAGS)
