"""The model card: README.md of a run folder, in the format of model hubs."""

from __future__ import annotations

import math
from typing import Any

import yaml

from headwater import catalog
from headwater.evaluation.intervals import Estimate, label
from headwater.evaluation.report import PAGE, Report

_INPUTS = {"Image": ("new_images/", "new_images/0013.jpg"), "User": ("users.csv", "a user"),
           "Observation": ("observations.jsonl", "[0.1, 0.2]")}  # fmt: skip
"""A file and a row of new inputs, for the kind of input."""
_HUBS = {"control": "reinforcement-learning"}
"""What hubs call a task, where they have another word for it."""
_PLAYED = {"train": "steps to learn from", "valid": "episodes to choose by", "test": "test episodes"}
"""What the counts of an agent are of."""


def model_card(report: Report, *, name: str | None = None, language: str | None = None) -> str:
    """The card of an application, in Markdown with YAML front matter.

    Args:
        report: what was measured.
        name: what to call the application; its model and task if not given.
        language: the code of the texts' language, if it is known.

    Example:
        >>> report = Report("text-classification", "tfidf-logistic", {"accuracy": Estimate(0.9, 0.88, 0.92)})
        >>> print(model_card(report).splitlines()[2])
        library_name: headwater
    """
    title = name or f"{report.model} for {report.task}"
    head = yaml.safe_dump(_front_matter(report, title, language), sort_keys=False, allow_unicode=True)
    body = "\n\n".join([
        f"# {_text(title)}", _intended(report), _data(report), _results(report), _limits(report), _usage(report)
    ])  # fmt: skip
    return f"---\n{head}---\n\n{body}\n"


def _front_matter(report: Report, title: str, language: str | None) -> dict[str, Any]:
    measured = {name: report.metrics[name].value for name in report.main_metrics}
    results = [
        {"type": name, "name": label(name), "value": round(value, 4)}
        for name, value in measured.items()
        if math.isfinite(value)
    ]
    task, world = _HUBS.get(report.task, report.task), report.audit.get("environment")
    held_out = {"name": world, "type": world} if world else {"name": "held-out test rows", "type": "custom"}
    return {
        "license": "unknown",
        "library_name": "headwater",
        **({"language": language} if language else {}),
        **({"base_model": base} if (base := _base_model(report)) else {}),
        "pipeline_tag": task,
        "tags": [
            "headwater",
            *dict.fromkeys((report.task, task)),
            *([world] if world else []),
            *([report.strategy] if report.strategy else []),
        ],
        "metrics": [result["type"] for result in results],
        "model-index": [
            {
                "name": title,
                "results": [
                    {
                        "task": {"type": task},
                        "dataset": {**held_out, "split": "test"},
                        "metrics": results,
                    }
                ],
            }
        ],
    }


def _base_model(report: Report) -> str | None:
    """The hub id of the foundation that was adapted; None for a basic model, and for one that came from a folder."""
    embedded = catalog.foundation(report.model)
    if embedded is not None:
        return embedded.hub_id
    return report.model if report.strategy and "/" in report.model else None


def _intended(report: Report) -> str:
    how = f"`{report.model}`, adapted with the strategy `{report.strategy}`" if report.strategy else f"`{report.model}`"
    classes = [f"`{_text(row['class'])}`" for row in report.per_class]
    listed = ", ".join(classes[:30]) + (f" and {len(classes) - 30} more" if len(classes) > 30 else "")
    answers = f" It answers with: {listed}." if classes else ""
    where = f"in the environment `{_text(world)}`" if (world := report.audit.get("environment")) else (
        "for inputs like the training rows"
    )  # fmt: skip
    return f"## Intended use\n\nAn application of {how} to {report.task}, {where}.{answers}"


def _data(report: Report) -> str:
    units = _PLAYED if report.episodes else {}
    lines = [f"- {part}: {count:,} {units.get(part, 'rows')}" for part, count in report.rows.items()]
    if report.quarantine.get("count"):
        lines.append(f"- set aside because they could not be used: {report.quarantine['count']:,} rows")
    if (boxes := report.quarantine.get("boxes")) and boxes["count"]:
        lines.append(
            f"- single boxes set aside because they could not be used: {boxes['count']:,} of {boxes['boxes']:,}"
        )
    if made := report.augmentation.get("copies"):
        told = ", ".join(f"{rows:,} by {name}" for name, rows in made.items())
        lines.append(f"- altered copies of training rows, to learn from: {told}")
    lines += [f"- {_text(warning)}" for warning in report.audit.get("warnings", [])]
    return "## Data\n\n" + ("\n".join(lines) or "Not recorded.")


def _results(report: Report) -> str:
    names = [report.model, *report.baselines]
    rows = ["| metric | " + " | ".join(map(_text, names)) + " |", "|---" * (1 + len(names)) + "|"]
    for metric, value in report.metrics.items():
        others = [str(metrics.get(metric, "")) for metrics in report.baselines.values()]
        rows.append(f"| {' | '.join([label(metric), str(value), *others])} |")
    said = [sentence for sentence in ((report.gain or {}).get("sentence"), *report.notes) if sentence]
    return "\n\n".join(
        [
            "## Results",
            f"Test {'episodes' if report.episodes else 'rows'}, with 95 % intervals.",
            "\n".join(rows),
            *map(_text, said),
        ]
    )


def _limits(report: Report) -> str:
    weak = [
        row
        for row in report.per_class
        if Estimate.from_json(row.get("ap50") or row.get("f1", row.get("iou", {}))).value < 0.8 * report.score.value
    ]  # fmt: skip
    source, shown = (
        "data from the same source; nothing was measured on others",
        "Mistakes, calibration and the data audit",
    )
    if report.episodes:
        source, shown = "the environment as it was made here; nothing was measured in others", "Episodes and learning"
    lines = [f"- The results hold for {source}."]
    if weak:
        named = ", ".join(f"`{_text(row['class'])}`" for row in weak[:10])
        lines.append(f"- It does clearly worse than on average on: {named}.")
    if report.reliability and report.reliability.get("temperature"):
        lines.append(f"- Probabilities are calibrated with temperature {report.reliability['temperature']:.2f}.")
    return "## Limits\n\n" + "\n".join([*lines, f"- {shown} are shown in `{PAGE}`."])


def _usage(report: Report) -> str:
    again = report.provenance.get("command")
    made = f"\n\nIt was made with:\n\n```\n{again}\n```" if again else ""
    inputs = next((task.inputs for task in catalog.TASKS if task.name == report.task), ())
    file, new = next((named for kind, named in _INPUTS.items() if kind in inputs), ("new.csv", "a new text"))
    play = "headwater play THIS_FOLDER --video episode.mp4\n" if report.episodes else ""
    return (
        f"## How to run\n\n```\n{play}headwater predict THIS_FOLDER {file} --to predictions.csv\n```\n\n```python\n"
        f'import headwater\n\nheadwater.load("THIS_FOLDER").predict(["{new}"])\n```{made}'
    )


def _text(given: object) -> str:
    """User text on one line that cannot begin Markdown of its own."""
    return " ".join(str(given).split()).replace("|", "\\|").replace("`", "'").replace("<", "&lt;")
