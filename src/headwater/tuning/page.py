"""The page of a search: one self-contained HTML file in the style of the report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headwater import catalog
from headwater.evaluation import plots as intervals
from headwater.evaluation.html import render
from headwater.evaluation.intervals import Estimate
from headwater.options import word
from headwater.tuning import plots
from headwater.tuning.dimension import shown


def page(found: Mapping[str, Any], again: str) -> str:
    """The page of a finished search.

    Args:
        found: the search, as `Findings.to_json` gives it.
        again: the command that makes the winner again without a search.
    """
    trials = [_shown(trial, found) for trial in found["trials"]]
    settings = {row["name"].rpartition(".")[2]: bool(row["log"]) for row in found["space"]}
    named = [name for name in dict.fromkeys(name for trial in trials for name in trial["shown"]) if name in settings]
    ranked = [row["name"] for row in found["importance"]]
    return render(
        "search.html.j2",
        found=found,
        models=[shown(model) for model in found["models"]],
        again=again,
        trials=trials,
        best=next(trial for trial in trials if trial["best"]),
        defaults=next((trial for trial in trials if trial["defaults"]), None),
        settings=sorted(named, key=lambda name: ranked.index(name) if name in ranked else len(ranked)),
        logs=settings,
        unit=catalog.task(found["task"]).unit,
        scale=intervals.scale_of([trial["estimate"] for trial in trials]),
        drawn=plots,
    )


def _shown(trial: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """A trial with what the page needs beside its data: its interval, and what it tried as one text."""
    values = ({"model": shown(trial["model"])} if len(found["models"]) > 1 else {}) | trial["values"]
    tried = ", ".join(f"{name} {word(value)}" for name, value in values.items())
    return {
        **trial,
        "shown": values,
        "tried": "the defaults" if trial["defaults"] else tried,
        "estimate": Estimate.from_json(trial["estimate"]),
        "best": trial["number"] == found["best"],
    }
