"""Reports as self-contained HTML pages: style and plots inline, no script, nothing fetched."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import jinja2

from headwater.evaluation import box_plots, maps, plots
from headwater.evaluation.intervals import Estimate, figure, figures, label, spoken
from headwater.evaluation.sections import plain
from headwater.options import in_words

if TYPE_CHECKING:
    from headwater.evaluation.report import Report

_MOST_BARS = 40
_CLASS_COLUMNS = (("ap50",), ("f1", "precision", "recall"), ("iou", "dice", "boundary_f"))
"""What is shown of each class, by the kind of report; the first has its interval drawn."""


def page(report: Report) -> str:
    """The page of a report; everything that came from the user's data is escaped."""
    everyone = {report.model: report.metrics, **report.baselines}
    scores = {name: metrics[report.primary] for name, metrics in everyone.items() if report.primary in metrics}
    columns = next((names for names in _CLASS_COLUMNS if any(names[0] in row for row in report.per_class)), ("f1",))
    classes = [{**row, "estimate": Estimate.from_json(row[columns[0]])} for row in report.per_class]
    trainings = [
        {**row, "estimate": Estimate.from_json(plain(row["return"]))} for row in report.trainings.get("rows", [])
    ]
    over = {name: Estimate.from_json(plain(value)) for name, value in report.trainings.get("over", {}).items()}
    stages = [{**row, "estimate": Estimate.from_json({"value": row["score"], **row})} for row in report.stages]
    return render(
        "report.html.j2",
        report=report,
        scores=scores,
        scale=plots.scale_of(list(scores.values())),
        classes=classes[:_MOST_BARS],
        class_columns=columns,
        left_out=max(len(classes) - _MOST_BARS, 0),
        stages=stages,
        stage_scale=plots.scale_of([row["estimate"] for row in stages]),
        curves=_curves(report.curve),
        trainings=trainings,
        training_over=over,
        training_scale=plots.scale_of([row["estimate"] for row in trainings]),
    )


def render(template: str, **content: Any) -> str:
    """A page of the house from one of its templates; everything that is put into it is escaped."""
    return (
        _environment()
        .get_template(template)
        .render(plots=plots, box_plots=box_plots, maps=maps, label=label, **content)
    )


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("headwater.evaluation"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.ChainableUndefined,
    )
    environment.filters.update(
        words=_words,
        duration=in_words,
        number=_number,
        tail=_tail,
        figure=figure,
        spoken=spoken,
        figures=_figures,
    )
    return environment


def _curves(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each stage the points of its loss and of its score, and where several trainings reach from and to."""
    stages: dict[str, dict[str, list[plots.Point]]] = {}
    bands: dict[str, list[plots.Reach]] = {}
    for position, row in enumerate(rows):
        stage = str(row.get("stage", "training"))
        lines, at = stages.setdefault(stage, {"loss": [], "score": []}), row.get("step", row.get("epoch", position))
        for name, points in lines.items():
            value = row.get(name)
            if value is not None and math.isfinite(value):
                points.append((float(at), float(value)))
        if row.get("low") is not None:
            bands.setdefault(stage, []).append((float(at), float(row["low"]), float(row["high"])))
    return [{"stage": stage, "lines": {name: points for name, points in lines.items() if len(points) > 1},
             "band": bands.get(stage, [])} for stage, lines in stages.items()]  # fmt: skip


def _words(name: object) -> str:
    """A key of the report for people.

    Example:
        >>> _words("rare_classes")
        'Rare classes'
    """
    text = str(name).replace("_", " ")
    return text[:1].upper() + text[1:]


def _number(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    if isinstance(value, float):
        return f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _figures(numbers: Sequence[float]) -> list[str]:
    return figures(*numbers)


def _tail(name: object) -> str:
    """The file of a long path, and the folder it is in: that is often its class.

    Example:
        >>> _tail("/data/pets/cats/0013.jpg"), _tail("cats/0013.jpg"), _tail("an image of 6 bytes")
        ('…/cats/0013.jpg', 'cats/0013.jpg', 'an image of 6 bytes')
    """
    parts = str(name).replace("\\", "/").split("/")
    return f"…/{'/'.join(parts[-2:])}" if len(parts) > 2 else str(name)
