"""Does `rank` know beforehand which foundation will be best?

Fifteen models, every basic one and eight of known making out of MiniLM (`variants.py`: as it is, tuned further as a
masked language model, its first three layers alone, its last one, three or all six layers begun anew, every weight half
way to a random one, and not trained at all), meet the same training rows of five sets. `headwater rank` scores them
from frozen features, or basic models from fits on folds; the truth is the test accuracy after `adapt` on those rows,
foundations with `--strategy full`. A score is as good as its weighted Kendall tau with the truth (Vigna 2015: pairs at
the top count most). Texts are cut at `--max-length` tokens on both sides, so that the truth can be paid for.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import data
import ours
import variants
from harness import Bench, main
from headwater import catalog

SETS = ("sst2", "ag_news_small", "amazon_kitchen", "chnsenticorp_htl", "newsgroups20")
SCORES = ("score", "log_loss", "knn", "logme", "h_score")


def truth(train: str, test: str, model: str, max_length: int, seed: int) -> dict[str, Any]:
    """What a model comes to when it is trained in full."""
    found = ours.adapt(train, test, model=model, strategy="full", max_length=max_length, seed=seed)
    return {"accuracy": found["accuracy"], "low": found["low"], "high": found["high"]}


def compare(bench: Bench) -> None:
    """Measures set by set."""
    models = _models(bench)
    for name in bench.options.only or SETS:
        prepared = data.prepare(name, bench.options.data)
        for seed in bench.seeds:
            files = _files(bench, prepared, seed)
            for model in models.values():
                bench.measure("truth", **files, model=model, max_length=bench.options.max_length, seed=seed)


def _files(bench: Bench, prepared: data.DataSet, seed: int) -> dict[str, str]:
    train = data.part_of(prepared.train, bench.options.rows, seed)
    return {"train": str(train), "test": str(data.part_of(prepared.test, bench.options.test_rows, 0))}


def _models(bench: Bench) -> dict[str, str]:
    """The name of each model, and what `--model` takes for it; variants are made where they are not yet."""
    found = {}
    for name in bench.options.models or [*(entry.name for entry in catalog.MODELS), *variants.VARIANTS]:
        found[name] = name
        if name in variants.VARIANTS:
            folder = variants.FOLDER / name
            if not (folder / "sentence_bert_config.json").exists():
                bench.measure(
                    "make", name=name, folder=str(folder), corpus=str(bench.options.data / "text_pretrain_en")
                )
            found[name] = str(folder)
    return found


FLAGS: dict[str, dict[str, Any]] = {
    "--only": {"nargs": "+", "choices": SETS, "help": "these sets"},
    "--models": {"nargs": "+", "help": "these models"},
    "--rows": {"type": int, "default": 1000, "help": "training rows (default: %(default)s)"},
    "--test-rows": {"type": int, "default": 1000, "help": "test rows (default: %(default)s)"},
    "--max-length": {"type": int, "default": 32, "help": "tokens of a text (default: %(default)s)"},
}

if __name__ == "__main__":
    main(Path(__file__), {"truth": truth, "make": variants.make}, compare, seeds=1, flags=FLAGS)
