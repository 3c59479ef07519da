"""Reports of data like that of users: many classes, long and Chinese texts, markup in a text."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from headwater.data.records import Records
from headwater.evaluation.classification import Tally
from headwater.evaluation.mistakes import Mistakes
from headwater.evaluation.report import Report

TOPICS = (
    "alt.atheism", "comp.graphics", "comp.os.ms-windows.misc", "comp.sys.ibm.pc.hardware", "comp.sys.mac.hardware",
    "comp.windows.x", "misc.forsale", "rec.autos", "rec.motorcycles", "rec.sport.baseball", "rec.sport.hockey",
    "sci.crypt", "sci.electronics", "sci.med", "sci.space", "soc.religion.christian", "talk.politics.guns",
    "talk.politics.mideast", "talk.politics.misc", "酒店评论",
)  # fmt: skip
TEXTS = (
    "The modem answers, but the line drops as soon as the other side sends anything longer than a few hundred bytes. "
    "I have changed the cable twice and the serial card once. " * 6,
    "房间很干净,早餐也不错,但是前台的态度实在太差了,等了四十分钟才办好入住手续。下次不会再来。",
    "<script>alert('a review')</script> <b>bold</b> & \"quoted\"",
    "Sold!",
)


def stream(classes: int, rows: int, seed: int = 0, *, several: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Targets and the probabilities of a model that is often right."""
    random = np.random.default_rng(seed)
    if several:
        ease = random.random((rows, 1))
        targets = (random.random((rows, classes)) < 0.15 + 0.3 * ease).astype(int)
        noise = random.normal(size=(rows, classes)) + 0.8 * random.normal(size=(rows, 1))
        return targets, 1 / (1 + np.exp(1 - noise - 2 * targets))
    shares = np.arange(classes, 2 * classes) / np.arange(classes, 2 * classes).sum()
    targets = random.choice(classes, rows, p=shares)
    logits = random.normal(size=(rows, classes)) + 3.2 * np.eye(classes)[targets]
    raised = np.exp(3.4 * logits - 3.4 * logits.max(axis=1, keepdims=True))
    return targets, raised / raised.sum(axis=1, keepdims=True)


def stage(name: str, score: float, seconds: float, decision: str) -> dict[str, object]:
    reach = 0.027 if score > 0.5 else 0.016
    return {"name": name, "score": score, "low": score - reach, "high": score + reach,
            "seconds": seconds, "decision": decision}  # fmt: skip


def build_report(classes: tuple[str, ...] = TOPICS, rows: int = 2000, *, several: bool = False) -> Report:
    targets, probabilities = stream(len(classes), rows, several=several)
    weaker = stream(len(classes), rows, 0, several=several)[1] + 0.8 * np.random.default_rng(1).random(
        (rows, len(classes))
    )
    majority = np.zeros((rows, len(classes))) if several else np.full(rows, len(classes) - 1)
    tally, mistakes = Tally(classes, several, ("majority", "tfidf-logistic")), Mistakes(8)
    linear = (weaker >= 0.5) if several else weaker.argmax(axis=1)
    tally.update(targets, probabilities, {"majority": majority, "tfidf-logistic": linear})
    texts = [TEXTS[row % len(TEXTS)] for row in range(rows)]
    records = Records(pa.table({"text": texts}), files=("news.csv",), lines=np.arange(2, rows + 2))
    mistakes.update(texts, targets, probabilities, records)
    counts = {name: 400 + 21 * position for position, name in enumerate(classes)}
    return Report.of_classification(
        tally,
        mistakes,
        temperature=1.31,
        task="text-classification",
        model="sentence-transformers/all-MiniLM-L6-v2",
        strategy="probe-then-full",
        rows={"train": 8412, "valid": 935, "test": rows},
        stages=[
            stage("majority", 0.068, 0.02, "baseline"),
            stage("tfidf-logistic", 0.742, 11.4, "baseline"),
            stage("probe", 0.801, 96.0, "go on: 504 s are left"),
            stage("full", 0.848, 441.7, "kept: better than the probe"),
        ],
        curve=[
            {"stage": "full", "epoch": epoch / 4, "step": 66 * epoch,
             "loss": 2.4 * 0.8**epoch + 0.3, "score": 0.85 - 0.3 * 0.7**epoch}
            for epoch in range(1, 13)
        ],
        audit={
            "rows": 11_402,
            "empty": 3,
            "unlabelled": 2,
            "columns": [
                {"name": "text", "type": "string", "empty": 3, "distinct": 11_290},
                {"name": "label", "type": "string", "empty": 2, "distinct": len(classes)},
            ],
            "classes": counts,
            "lengths": {
                "words": {"0": 1, "5": 23, "25": 82, "50": 154, "75": 280, "95": 911, "100": 11_204},
                "characters": {"0": 5, "5": 130, "25": 470, "50": 902, "75": 1650, "95": 5412, "100": 74_112},
            },
            "duplicates": {
                "clusters": 23, "rows": 47, "largest": 3, "conflicts": 1, "conflict_rows": 2,
                "conflict_examples": [[
                    {"place": "news.csv:17", "label": "rec.autos", "text": "Sold!"},
                    {"place": "news.csv:2041", "label": "misc.forsale", "text": "sold"},
                ]],
            },
            "scripts": {"Latin": 0.953, "Han": 0.047},
            "warnings": ["The rows are sorted by their label: their order is no order in time."],
        },
        split={
            "rule": "stratified", "column": None, "rows": {"train": 8412, "valid": 935, "test": rows},
            "dropped": {"train": 0, "valid": 0, "test": 0}, "rare_classes": [], "unseen_classes": [],
        },
        quarantine={
            "count": 12, "share": 0.00105,
            "examples": [
                {"file": "news.csv", "line": 88, "reason": "3 cells instead of 2"},
                {"file": "news.csv", "line": 913, "reason": "the text in column text is empty"},
            ],
        },
        provenance={
            "command": "headwater adapt text-classification news.csv --target label --budget 10m --to runs/news",
            "data": "news.csv", "seed": 0, "seconds": 551.2,
            "versions": {"headwater": "0.1.0", "numpy": "2.4.6", "python": "3.11.9", "torch": "2.9.0"},
            "hashes": {"news.csv": "9f2b6f8d2f27b1a0c07c5c1f6d0c2b1e0a6f9d1e5c7b8a4f3e2d1c0b9a8f7e6d"},
            "machine": "2 cores, 8 GB, no accelerator",
        },
    )  # fmt: skip


@pytest.fixture(scope="session")
def report() -> Report:
    return build_report()


@pytest.fixture(name="make_report")
def builder() -> Callable[..., Report]:
    return build_report
