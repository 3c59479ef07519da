"""Augmentation and resampling: what each gains over doing nothing, on few training rows and on unequal classes.

Every draw of training rows serves all variants of one model in one process, so that a gain is a difference on the same
rows. A tenth of the rows is held out for validation, as `adapt` does; accuracy is on test rows that no draw touches.
Span masking and back-translation need models that no package embeds, and are not measured.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import data
import ours
from harness import Bench, Measured, main
from results import Table, publish

SETS = ("sst2", "ag_news_small")
MODELS = ("tfidf-logistic", "minilm", "cnn")
SIZES = (50, 200, 1000)
TEST_ROWS = 1000
BOTH = ["word-dropout", "word-swap"]
COPIES: dict[str, dict[str, Any]] = {
    "none": {},
    "word-dropout": {"augment": ["word-dropout"]},
    "word-swap": {"augment": ["word-swap"]},
    "both": {"augment": BOTH},
    "both, 4 copies": {"augment": BOTH, "augment_copies": 4},
    "both, 4 copies of weight 4": {"augment": BOTH, "augment_copies": 4, "augment_weight": 4},
    "mixup": {"augment": ["mixup"], "augment_copies": 4},
}
BALANCE: dict[str, dict[str, Any]] = {
    "none": {},
    "weights": {"imbalance": "weights"},
    "class-balanced": {"imbalance": "class-balanced"},
    "oversample": {"imbalance": "oversample"},
    "undersample": {"imbalance": "undersample"},
    "smote": {"imbalance": "smote"},
    "oversample, both": {"imbalance": "oversample", "augment": BOTH},
}
RARE = 0.05
SLOW = {"cnn"}
"""Models that take part without four copies of a thousand rows."""


def variants(train: str, test: str, model: str, seed: int, given: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """Fits the model once a variant; returns accuracy and macro F1 of each on the test rows."""
    from sklearn.metrics import accuracy_score, f1_score

    texts, labels = data.read(test)
    found = {}
    for name, settings in given.items():
        answers = _answers(train, texts, model, {"seed": seed, **settings})
        scores = accuracy_score(labels, answers), f1_score(labels, answers, average="macro")
        found[name] = dict(zip(("accuracy", "macro_f1"), map(float, scores), strict=True))
    return found


def _answers(train: str, texts: list[str], model: str, settings: dict[str, Any]) -> Sequence[Any]:
    from headwater.language.classification.pretrained import PretrainedClassifier
    from headwater.language.classification.task import TextClassification
    from headwater.options import build
    from headwater.settings import Settings
    from headwater.transfer.features import extract

    shared = {"offline": True, "text": "text", "target": "label", **ours.adapted_by(model, "probe"), **settings}
    app = TextClassification(model, build(Settings, shared)).fit(train)
    classifier = app.classifier
    if not isinstance(classifier, PretrainedClassifier) or classifier.encoder is None or classifier.head is None:
        return app.predict(texts).labels
    # The probe leaves the foundation as it is: the features of the test rows are those of the variant before.
    logits = classifier.head.logits(extract(classifier.encoder, texts, app.settings))
    return [app.target.classes[number] for number in logits.argmax(axis=1).tolist()]


def compare(bench: Bench) -> None:
    """Measures the copies on each set, and the balancing on an unequal draw; a table for each."""
    asked = bench.options
    sizes = SIZES[:1] if asked.quick else asked.sizes
    sets = SETS[:1] if asked.quick else asked.sets
    tables = [_table(bench, asked.models, sizes, data.prepare(name, asked.data)) for name in sets]
    if unequal := sizes if asked.quick else asked.unequal:
        tables.append(_unequal(bench, asked.models, unequal, data.prepare("sst2", asked.data)))
    publish(bench, tables)


def _table(bench: Bench, models: Sequence[str], sizes: Sequence[int], prepared: data.DataSet) -> Table:
    rows = []
    test = data.part_of(prepared.test, TEST_ROWS, 0)
    for model in models:
        for size in sizes:
            given = {name: how for name, how in COPIES.items() if _takes_part(model, size, name)}
            runs = [
                bench.measure(
                    "variants", train=str(data.part_of(prepared.train, size, seed)), test=str(test), model=model,
                    seed=seed, given=given,
                )
                for seed in bench.seeds
            ]  # fmt: skip
            rows += [(model, size, name, *_cells(runs, name, "accuracy")) for name in given]
    caption = (
        f"{prepared.name}: test accuracy by training rows, mean and standard deviation over the draws; the gain over "
        "`none` in points, its mean, standard deviation, and in how many draws it was above zero."
    )
    return Table(caption, ("model", "rows", "variant", "accuracy", "std", "gain", "std of gain", "draws gained"), rows)


def _unequal(bench: Bench, models: Sequence[str], sizes: Sequence[int], prepared: data.DataSet) -> Table:
    rows = []
    test = data.part_of(prepared.test, TEST_ROWS, 0)
    for model in models:
        for size in sizes:
            given = {name: how for name, how in BALANCE.items() if name != "smote" or model == "minilm"}
            drawn = [(seed, _unequal_draw(prepared.train, size, seed)) for seed in bench.seeds]
            runs = [
                bench.measure("variants", train=str(train), test=str(test), model=model, seed=seed, given=given)
                for seed, train in drawn
            ]
            rows += [(model, size, name, *_cells(runs, name, "macro_f1")) for name in given]
    caption = (
        f"{prepared.name} with {100 * RARE:.0f} % positive training rows, measured on the even test part: macro F1, "
        "mean and standard deviation over the draws; the gain over `none` in points as above."
    )
    return Table(caption, ("model", "rows", "variant", "macro F1", "std", "gain", "std of gain", "draws gained"), rows)


def _takes_part(model: str, size: int, name: str) -> bool:
    if name == "mixup":
        return model == "minilm"
    return "4 copies" not in name or size < SIZES[-1] or model not in SLOW


def _cells(runs: Sequence[Measured], name: str, metric: str) -> tuple[Any, ...]:
    values = [run.values[name][metric] for run in runs]
    gains = [100 * (value - run.values["none"][metric]) for value, run in zip(values, runs, strict=True)]
    spread, of_gain = (stdev(part) if len(part) > 1 else 0.0 for part in (values, gains))
    above = f"{sum(gain > 0 for gain in gains)} of {len(gains)}"
    return f"{mean(values):.4f}", f"{spread:.4f}", f"{mean(gains):+.2f}", f"{of_gain:.2f}", above


def _unequal_draw(source: Path, size: int, seed: int) -> Path:
    """A file of so many rows, the rare share of them of the class whose name comes last."""
    texts, labels = data.read(source)
    rows = random.Random(seed).sample(list(zip(texts, labels, strict=True)), len(texts))
    wanted = Counter(dict(zip(sorted(set(labels)), (size - round(RARE * size), round(RARE * size)), strict=True)))
    kept = []
    for text, label in rows:
        if wanted[label] > 0:
            kept.append((text, label))
            wanted[label] -= 1
    return data.write(kept, source.with_name(f"{source.stem}-unequal-{size}-{seed}.csv"))


FLAGS: dict[str, dict[str, Any]] = {
    "--models": {"nargs": "+", "default": MODELS, "help": "these models"},
    "--sets": {"nargs": "*", "default": SETS, "help": "altered copies on these sets"},
    "--sizes": {"nargs": "+", "type": int, "default": SIZES, "help": "altered copies of so many rows"},
    "--unequal": {"nargs": "*", "type": int, "default": SIZES[1:], "help": "balancing of so many unequal rows"},
}

if __name__ == "__main__":
    main(Path(__file__), {"variants": variants}, compare, seeds=3, flags=FLAGS)
