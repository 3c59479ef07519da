"""The ranking: models in the order in which they fit a target, which of them to take, and why."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from scipy.stats import binomtest, weightedtau

from headwater.evaluation.intervals import LEVEL, Gain
from headwater.evaluation.sections import Sections, aligned, plain
from headwater.ranking.candidates import MAJORITY, Candidate
from headwater.transfer import scores

OTHERS = {"knn": "k-NN", "logme": "LogME", "h_score": "H-score"}
"""The scores beside the one that ranks, and what people call them."""
_ALIKE = 2.0
"""Costs that differ by less than this factor count as equal: a clock on a shared machine tells no more."""


@dataclass
class Ranking(Sections):
    """Which models fit the data, before any of them is adapted to it.

    Attributes:
        task: the task's name.
        data: what to call the data.
        rows: how many rows were looked at.
        classes: the classes of the target.
        several: whether a row may have several labels.
        candidates: the models, the best first; those that could not be had last, with their reasons.
        recommended: the model to take; None where none is better than naming the most frequent class.
        verdict: which model to take and why, in a sentence or two.
        agreement: for each of the other scores its weighted Kendall tau with the one that ranks (Vigna 2015); None
            where fewer than three models have both.
        notes: what a reader must know, as sentences.
        provenance: `command`, `seed`, `versions`, `seconds`, `machine`.
        other: sections that a later version wrote; kept as they are.

    Example:
        >>> ranking = Ranking("text-classification", "reviews.csv", 100, ("bad", "good"), verdict="Take minilm.")
        >>> Ranking.from_json(ranking.to_json()) == ranking
        True
    """

    kind: ClassVar[str] = "ranking"

    task: str
    data: str
    rows: int
    classes: tuple[Any, ...]
    several: bool = False
    candidates: tuple[Candidate, ...] = ()
    recommended: str | None = None
    verdict: str = ""
    agreement: dict[str, float | None] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    provenance: dict[str, Any] = field(default_factory=dict)
    other: dict[str, Any] = field(default_factory=dict)

    @property
    def measured(self) -> tuple[Candidate, ...]:
        """The models that could be had, the best first."""
        return tuple(one for one in self.candidates if one.measured)

    @property
    def refused(self) -> tuple[Candidate, ...]:
        """The models that could not be had."""
        return tuple(one for one in self.candidates if not one.measured)

    @classmethod
    def known(cls, sections: Mapping[str, Any]) -> dict[str, Any]:
        candidates = tuple(Candidate.from_json(one) for one in sections["candidates"])
        lists = {name: tuple(sections[name]) for name in ("classes", "notes")}
        return super().known({**sections, **lists, "candidates": candidates})

    def sections(self) -> dict[str, Any]:
        return super().sections() | {"candidates": plain([one.to_json() for one in self.candidates])}

    def to_html(self) -> str:
        from headwater.evaluation import plots
        from headwater.evaluation.html import render

        values = {name: {one.model: _value(getattr(one, name)) for one in self.measured} for name in OTHERS}
        return render(
            "ranking.html.j2",
            ranking=self,
            others=OTHERS,
            scale=plots.scale_of([one.score for one in self.measured]),
            values={name: {model: _finite(value) for model, value in of.items()} for name, of in values.items()},
            places={name: _places(of) for name, of in values.items()},
        )

    def __str__(self) -> str:
        """A table for the terminal, the verdict, and why models are missing."""
        rows = self.measured
        columns = {
            "rank": [str(one.rank) for one in rows],
            "model": [one.model for one in rows],
            "held-out rows right": [str(one.score) for one in rows],
            "k-NN": [_number(one.knn.value) for one in rows],
            "LogME": [_number(one.logme) for one in rows],
            "H-score": [_number(one.h_score) for one in rows],
            "s/1,000 rows": [_number(one.cost.seconds, 3) for one in rows],
            "MiB": [_number(one.cost.mebibytes, 1) for one in rows],
            "parameters": [in_short(one.cost.parameters) for one in rows],
        }
        lines = [self.title, "", *aligned(columns), "", self.verdict]
        lines += [f"{one.model} could not be had: {one.reason}" for one in self.refused]
        return "\n".join([*lines, *self.notes])

    @property
    def title(self) -> str:
        """What was looked at, as one line."""
        return f"{self.task}: {self.data}, {self.rows:,} rows, {len(self.classes)} classes, 95 % intervals"


def ordered(candidates: Sequence[Candidate], seed: int) -> tuple[Candidate, ...]:
    """The candidates by score, each with its rank and the lead of the first over it.

    A rank is shared by all whose distance to the first of that rank is not real: on the same held-out rows the paired
    interval holds zero, or McNemar's exact test (1947) allows for chance, which knows better where the two differ in a
    handful of rows. Those that could not be had come last.
    """
    found = sorted((one for one in candidates if one.measured), key=lambda one: -one.score.value)
    ranked: list[Candidate] = []
    for place, one in enumerate(found, start=1):
        head = next((other for other in ranked if other.rank == ranked[-1].rank), None)
        shared = head is not None and not _is_real(head, one, seed)
        lead = _lead(ranked[0], one, seed) if ranked else None
        ranked.append(replace(one, rank=head.rank if shared and head else place, lead=lead))
    return (*ranked, *(one for one in candidates if not one.measured))


def choose(ranked: Sequence[Candidate]) -> tuple[str | None, str]:
    """Of the models that share the first rank the cheapest, and the sentence that says why."""
    found = [one for one in ranked if one.measured]
    first = [one for one in found if one.rank == 1]
    best = found[0]
    trivial = next((one for one in first if one.model == MAJORITY), None)
    if trivial is not None:
        return None, (
            "No model is really better than naming the most frequent class, which is right in "
            f"{trivial.score.value:.1%} of the rows. Give more rows, look over the labels, or try other models."
        )
    least = min(_seconds(one) for one in first)
    taken = next(one for one in first if _seconds(one) <= _ALIKE * least)
    return taken.model, f"Take {taken.model}: {_why(taken, best, found)}"


def agreement(ranked: Sequence[Candidate]) -> dict[str, float | None]:
    """How far each of the other scores orders the models alike."""
    found = [one for one in ranked if one.measured and one.model != MAJORITY]
    return {name: _tau([(one.score.value, _value(getattr(one, name))) for one in found]) for name in OTHERS}


def in_short(number: float | None) -> str:
    """A count as people write it.

    Example:
        >>> in_short(22_713_216), in_short(840), in_short(None)
        ('22.7 M', '840', '')
    """
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number is not None and number >= size:
            return f"{number / size:.1f} {letter}"
    return "" if number is None else f"{number:.0f}"


def _why(taken: Candidate, best: Candidate, found: Sequence[Candidate]) -> str:
    if taken is not best and taken.lead is not None:
        times = _seconds(best) / max(_seconds(taken), 1e-9)
        cost = f"takes {times:.2g} times its time" if times < 100 else "takes more than 100 times its time"
        return (
            f"{best.model} is {_points(taken.lead)} better, but that may be chance, and it {cost}."
        )  # fmt: skip
    behind = next((one for one in found if one.rank != 1 and one.model != MAJORITY), None)
    equals = [one.model for one in found if one.rank == 1 and one is not taken]
    also = f" {' and '.join(equals)} cannot be told from it on these rows." if equals else ""
    if behind is None or behind.lead is None:
        return f"right in {taken.score.value:.1%} of the held-out rows.{also}"
    return f"it is {_points(behind.lead)} better than {behind.model}, the next that is really behind it.{also}"


def _points(lead: Gain) -> str:
    return f"{100 * lead.value:.1f} points [{100 * lead.low:.1f}, {100 * lead.high:.1f}]"


def _lead(first: Candidate, other: Candidate, seed: int) -> Gain:
    if first.right is None or other.right is None:
        return Gain(other.model, "accuracy", math.nan, math.nan, math.nan)
    return scores.gain(first.right, other.right, other.model, seed)


def _is_real(first: Candidate, other: Candidate, seed: int) -> bool:
    if first.right is None or other.right is None:
        return False
    wins, losses = int((first.right > other.right).sum()), int((first.right < other.right).sum())
    by_chance = binomtest(wins, wins + losses).pvalue if wins + losses else 1.0
    return by_chance < 1 - LEVEL and _lead(first, other, seed).real


def _seconds(one: Candidate) -> float:
    return math.inf if one.cost.seconds is None else one.cost.seconds


def _tau(pairs: Sequence[tuple[float, float | None]]) -> float | None:
    known = [(left, right) for left, right in pairs if _finite(right) is not None]
    if len(known) < 3:
        return None
    tau = float(weightedtau(*zip(*known, strict=True)).statistic)
    return tau if math.isfinite(tau) else None


def _places(values: dict[str, float | None]) -> dict[str, int]:
    """The place that each value has among them all, the largest being first.

    Example:
        >>> _places({"a": 0.0, "b": 0.5, "c": None, "d": 0.0})
        {'a': 2, 'b': 1, 'd': 2}
    """
    known = {model: value for model, value in values.items() if value is not None and math.isfinite(value)}
    return {model: 1 + sum(other > value for other in known.values()) for model, value in known.items()}


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _value(score: Any) -> float | None:
    return getattr(score, "value", score)


def _number(value: float | None, digits: int = 3) -> str:
    return "" if value is None or not math.isfinite(value) else f"{value:.{digits}f}"
