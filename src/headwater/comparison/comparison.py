"""What a comparison of two data sets found, as plain data, a short table, JSON and one HTML page."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from headwater.evaluation.intervals import Estimate
from headwater.evaluation.sections import Sections, aligned

FILE, PAGE = "comparison.json", "comparison.html"
_SHOWN_WORDS = 6


@dataclass
class Comparison(Sections):
    """Two data sets side by side in the eyes of a model; or one alone, of which no distance is measured.

    Attributes:
        task: the task's name.
        model: the model through whose features the rows were looked at.
        target: `name`, `rows` (usable), `compared` (of them, drawn at random), `columns`, `quarantine`.
        source: the same; None where one data set came alone.
        verdict: `differs` (None where nothing was measured), the `level` below which p claims it, `sentence`.
        notes: what a reader must know, as sentences.
        copies: target `rows` that also stand in the source, `exact` ones among them, their `share`, `examples`.
        distance: estimates `proxy`, `balanced_accuracy` and `auc` with `p` and `permutations`; `mmd` with its `value`
            and `p`.
        labels: `shares` of each class, the share of rows `moved`, `p`, `sentence`.
        equal_shares: the distance of rows with equal class shares: the same entries, `rows`, `classes`, `sentence`.
        words: `found`, and those with most evidence: `target`, `source`; each `word`, shares in `source` and `target`.
        numbers: `name`, `of` (median or mean), `source`, `target`, `more`, `p`, `differs`.
        examples: the rows that are most like their own side: `source`, `target`; each `text`, `place`, `likeness`.
        map: at most 400 points a side: `x`, `y`, `side`, `text`.
        origin: what is written down of the data behind the model: `data`, `sentences`.
        provenance: `command`, `seed`, `versions`, `hashes`, `seconds`, `machine`.
        other: sections that a later version wrote; kept as they are.

    Example:
        >>> found = Comparison("text-classification", "minilm", {"name": "a.csv", "rows": 9, "compared": 9})
        >>> Comparison.from_json(found.to_json()) == found
        True
    """

    kind: ClassVar[str] = "comparison"

    task: str
    model: str
    target: dict[str, Any]
    source: dict[str, Any] | None = None
    verdict: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    copies: dict[str, Any] = field(default_factory=dict)
    distance: dict[str, Any] = field(default_factory=dict)
    labels: dict[str, Any] = field(default_factory=dict)
    equal_shares: dict[str, Any] = field(default_factory=dict)
    words: dict[str, Any] = field(default_factory=dict)
    numbers: list[dict[str, Any]] = field(default_factory=list)
    examples: dict[str, Any] = field(default_factory=dict)
    map: list[dict[str, Any]] = field(default_factory=list)
    origin: dict[str, Any] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)
    other: dict[str, Any] = field(default_factory=dict)

    @property
    def differs(self) -> bool | None:
        """Whether a difference is claimed; None where nothing was measured."""
        return self.verdict.get("differs")

    @property
    def proxy(self) -> Estimate | None:
        """The proxy A-distance, from 0 (alike) to 2 (fully apart); None where nothing was measured."""
        return self.estimate("proxy") if self.distance else None

    def estimate(self, name: str, *, equal_shares: bool = False) -> Estimate:
        """One of the estimates of the distance."""
        return Estimate.from_json((self.equal_shares if equal_shares else self.distance)[name])

    def to_html(self) -> str:
        from headwater.evaluation.html import render

        return render("comparison.html.j2", found=self)

    def __str__(self) -> str:
        """For the terminal: copies first, then the distance, the verdict, and what differs."""
        lines = [self.title]
        if self.copies.get("rows"):
            lines += ["", self.copies["sentence"]]
        if self.distance:
            lines += ["", *aligned(self._measured())]
        lines += ["", self.verdict.get("sentence", "")]
        lines += [said for part in (self.labels, self.equal_shares) if (said := part.get("sentence"))]
        lines += self._differences()
        return "\n".join([*lines, *self.origin.get("sentences", []), *self.notes])

    @property
    def title(self) -> str:
        """What was compared, as one line."""
        sides = [side for side in (self.source, self.target) if side]
        named = [f"{side['name']} ({side['rows']:,} rows)" for side in sides]
        return f"{self.task}: {self.model}, {' and '.join(named)}" + (", 95 % intervals" if self.distance else "")

    def _measured(self) -> dict[str, list[str]]:
        rows = [
            ("Proxy A-distance", self.estimate("proxy"), "0 where alike, 2 where fully apart"),
            ("Balanced accuracy", self.estimate("balanced_accuracy"), "of telling the side of a held-out row"),
            ("p-value", f"{self.distance['p']:.3f}", f"of {self.distance['permutations']} relabellings; the verdict"),
            ("MMD", f"{self.distance['mmd']['value']:.4f}", f"squared, p = {self.distance['mmd']['p']:.3f}"),
        ]
        names, values, meanings = zip(*rows, strict=True)
        return {"": list(names), "value": list(map(str, values)), "what it is": list(meanings)}

    def _differences(self) -> list[str]:
        lines = []
        for side, other in (("target", "source"), ("source", "target")):
            words = self.words.get(side, [])[:_SHOWN_WORDS]
            shown = [
                f"{word['word']} ({100 * word[side]:.0f} % of rows, {100 * word[other]:.0f} % there)" for word in words
            ]
            lines += [f"More in the {side}: {', '.join(shown)}"] if shown else []
        told = [number for number in self.numbers if number.get("differs", True)]
        if told:
            columns = {"": [f"{number['name']} ({number['of']})" for number in told]}
            for side in ("source", "target") if self.source else ("target",):
                columns[side] = [f"{number[side]:.4g}" for number in told]
            lines += ["", *aligned(columns), ""]
        return lines
