"""The plots of a search: its scores trial by trial, and against each setting."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from headwater.evaluation.plots import Axis, svg
from headwater.options import word

_WIDTH, _HEIGHT, _LEFT, _TOP, _BOTTOM = 320, 200, 52, 26, 156
_MOST_TICKS = 5


def progress(trials: Sequence[Mapping[str, Any]]) -> Markup:
    """The score of each trial in turn, and the best so far as a line."""
    scored = [trial for trial in trials if trial["score"] is not None]
    if not scored:
        return Markup("")
    across = Axis(1, max(trials[-1]["number"], 2), _LEFT, 2 * _WIDTH - 16)
    up, best, steps = _up(scored), -math.inf, []
    for trial in scored:
        x = across.at(trial["number"])
        steps += [(x, up.at(best))] if steps else []
        best = max(best, trial["score"]) if trial["state"] == "complete" else best
        steps += [(x, up.at(best))] if math.isfinite(best) else []
    steps += [(across.end, up.at(best))] if steps else []
    path = " L".join(f"{x:g} {y:g}" for x, y in steps)
    line = Markup('<path class="line" d="M{}"/>').format(path) if steps else Markup("")
    ticks = [(across.at(tick), f"{tick:g}") for tick in across.ticks() if tick == int(tick)]
    parts = [*_frame(up, ticks, across, "trial"), line]
    parts += [_dot(across.at(trial["number"]), up, trial, f"trial {trial['number']}") for trial in scored]
    return svg("search", 2 * _WIDTH, _HEIGHT, parts, "Score by trial")


def against(name: str, trials: Sequence[Mapping[str, Any]], *, log: bool = False) -> Markup:
    """The score of each trial that tried a setting, against its value; `log` shows values by their ratios."""
    tried = [trial for trial in trials if name in trial["shown"] and trial["score"] is not None]
    if not tried:
        return Markup("")
    values = [trial["shown"][name] for trial in tried]
    across, ticks, place = _across(values, log=log)
    up = _up([trial for trial in trials if trial["score"] is not None])
    dots = [_dot(place(value), up, trial, f"{name} {word(value)}") for value, trial in zip(values, tried, strict=True)]
    return svg("search", _WIDTH, _HEIGHT, [*_frame(up, ticks, across, name), *dots], f"Score by {name}")


def _across(values: Sequence[Any], *, log: bool) -> tuple[Axis, list[tuple[float, str]], Any]:
    """The axis of a setting, its ticks, and the place of a value: names side by side, numbers on a scale."""
    end = _WIDTH - 16
    if any(isinstance(value, str | bool) for value in values):
        names = sorted(set(map(word, values)))
        axis = Axis(-0.5, len(names) - 0.5, _LEFT, end)
        most = max(int((end - _LEFT) / len(names) / 6.5), 4)
        ticks = [(axis.at(place), name[:most]) for place, name in enumerate(names)]
        return axis, ticks, lambda value: axis.at(names.index(word(value)))
    low, high = min(values), max(values)
    if log and low > 0:
        logs = Axis(math.log(low) - 0.1, math.log(high) + 0.1, _LEFT, end)
        return logs, [(logs.at(math.log(tick)), f"{tick:g}") for tick in _round(low, high)], (
            lambda value: logs.at(math.log(value))
        )  # fmt: skip
    margin = (high - low) * 0.05 or abs(high) * 0.1 or 1.0
    plain = Axis(low - margin, high + margin, _LEFT, end)
    whole = all(isinstance(value, int) for value in values)
    ticks = [tick for tick in plain.ticks(_MOST_TICKS) if not whole or tick == int(tick)]
    return plain, [(plain.at(tick), f"{tick:g}") for tick in ticks], plain.at


def _round(low: float, high: float) -> list[float]:
    """Round numbers between two, by ratios.

    Example:
        >>> _round(2e-5, 0.004)
        [0.0001, 0.001]
    """
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    found = [float(f"{digit}e{power}") for power in powers for digit in (1, 2, 5)]
    found = [number for number in found if low <= number <= high]
    tens = [number for number in found if round(math.log10(number), 9) % 1 == 0]
    return found if len(found) <= _MOST_TICKS else tens


def _up(trials: Sequence[Mapping[str, Any]]) -> Axis:
    scores = [trial["score"] for trial in trials]
    margin = (max(scores) - min(scores)) * 0.08 or 0.01
    return Axis(min(scores) - margin, max(scores) + margin, _BOTTOM, _TOP)


def _frame(up: Axis, ticks: Sequence[tuple[float, str]], across: Axis, name: str) -> list[Markup]:
    parts = [
        Markup('<line class="grid" x1="{}" x2="{}" y1="{y}" y2="{y}"/><text class="end" x="{}" y="{}">{:g}</text>')
        .format(across.start, across.end, across.start - 8, up.at(tick) + 4, tick, y=up.at(tick))
        for tick in up.ticks(4)
    ]  # fmt: skip
    parts += [Markup('<text class="middle" x="{}" y="{}">{}</text>').format(x, _BOTTOM + 18, text) for x, text in ticks]
    parts.append(Markup('<text class="end name" x="{}" y="{}">{}</text>').format(across.end, _BOTTOM + 36, name))
    parts.append(Markup('<text class="name" x="{}" y="{}">score</text>').format(across.start, _TOP - 12))
    return parts


def _dot(x: float, up: Axis, trial: Mapping[str, Any], where: str) -> Markup:
    kind = "best" if trial["best"] else "defaults" if trial["defaults"] else trial["state"]
    return Markup('<circle class="{}" cx="{}" cy="{}" r="{}"><title>{}: {:.4g}{}</title></circle>').format(
        kind, x, up.at(trial["score"]), 5.5 if trial["best"] else 4, where, trial["score"],
        "" if trial["state"] == "complete" else f", {trial['state']}",
    )  # fmt: skip
