"""From two gathered data sets and an application to a comparison; or, of one set alone, what can be known of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from headwater import catalog
from headwater.comparison import mmd, shifts
from headwater.comparison.comparison import Comparison
from headwater.comparison.knowledge import knowledge
from headwater.comparison.labelshift import class_of, evenly, label_shift
from headwater.comparison.plane import rest
from headwater.data.duplicates import clusters, exact, excerpt, place
from headwater.data.gathering import Gathered
from headwater.data.traits import Traits
from headwater.errors import DataError, unknown
from headwater.evaluation.sections import plain
from headwater.evaluation.showing import shown
from headwater.transfer import distance
from headwater.transfer.distance import Distance

if TYPE_CHECKING:
    from headwater.application import Application

FEWEST = 20
"""The rows that a side needs: of fewer, no permutation test could claim anything that holds."""
_MAP_ROWS = 400
_WORDS = 15
_EXAMPLES = 5
_COPIES_SHOWN = 5
_TOOLTIP, _TEXT = 160, 400


@dataclass(frozen=True)
class Sides:
    """The rows that are compared, source rows first, with what is seen of them.

    Attributes:
        source, target: all usable rows of each side.
        drawn: which rows of each side are compared, ascending.
        features: of the drawn rows, shape (rows, width).
        copies: for each drawn row the group of rows that it is a copy of, shape (rows,).
        traits: of the drawn rows.
    """

    source: Gathered
    target: Gathered
    drawn: tuple[np.ndarray, np.ndarray]
    features: np.ndarray
    copies: np.ndarray
    traits: list[Traits]

    @property
    def cut(self) -> int:
        """Where the target rows begin among the drawn ones."""
        return len(self.drawn[0])

    @property
    def values(self) -> list[Any]:
        return [side.values[row] for side, rows in self._both() for row in rows.tolist()]

    @property
    def places(self) -> list[str]:
        return [place(side.records, row) for side, rows in self._both() for row in rows.tolist()]

    def classes(self) -> list[list[str | None]]:
        """The class of each drawn row of each side; all None where a side has no labels."""
        return [[class_of(side.labels[row]) if side.labels else None for row in rows.tolist()]
                for side, rows in self._both()]  # fmt: skip

    def measure(self, rows: np.ndarray, seed: int) -> Distance:
        """The distance on some of the drawn rows."""
        source, target = rows[rows < self.cut], rows[rows >= self.cut]
        return distance.measure(self.features[source], self.features[target], copies=self.copies[rows], seed=seed)

    def _both(self) -> list[tuple[Gathered, np.ndarray]]:
        return [(self.source, self.drawn[0]), (self.target, self.drawn[1])]


def compare(application: Application, source: Gathered, target: Gathered, *, rows: int, seed: int = 0) -> Comparison:
    """How far apart two data sets are in the eyes of a model, and why.

    Args:
        application: gives features and traits; it need not be fitted.
        source: the data that is known.
        target: the data of the question.
        rows: the most rows a side that are looked at.
        seed: the seed of every draw.

    Raises:
        DataError: a side has fewer than 20 usable rows, or one has pairs and the other single inputs.
    """
    for side in (source, target):
        _refuse_few(side)
    _refuse_unknown_columns(application, source, target)
    _refuse_unlike_inputs(source, target)
    # Observations of random play come again as they will, and nearness of their numbers is no nearness of texts.
    played = catalog.task(application.task).inputs == ("Observation",)
    copies = (exact if played else clusters)([*source.values, *target.values])
    sides = _look(application, source, target, copies, rows, seed)
    every = np.arange(len(sides.features))
    found = sides.measure(every, seed)
    return Comparison(
        task=application.task,
        model=application.shown_model,
        source=_side(source, len(sides.drawn[0])),
        target=_side(target, len(sides.drawn[1])),
        verdict=_verdict(found, sides),
        copies={} if played else _copies(source, target, copies),
        distance=plain(_numbers_of(found) | {"mmd": _discrepancy(sides, seed)}),
        labels=plain(labels := {} if played else _labels(source, target, seed)),
        equal_shares=plain(_equal_shares(sides, seed) if labels.get("apart") else {}),
        words=_words(sides),
        numbers=_numbers(sides),
        examples=_examples(sides, found) if found.differs else {},
        map=_map(sides, found, seed),
        origin=knowledge(application, alone=False),
    )


def look(application: Application, target: Gathered, *, rows: int, seed: int = 0) -> Comparison:
    """What can be known of one data set and a model: how well the model's reading fits it, and no distance.

    Raises:
        DataError: there are fewer than 20 usable rows.
    """
    _refuse_few(target)
    _refuse_unknown_columns(application, target)
    drawn = _drawn(len(target), rows, np.random.default_rng(seed))
    values = [target.values[row] for row in drawn.tolist()]
    numbers, shares = _measurements([application.traits(values), application.reading(values)])
    means = [{"name": name, "of": "mean", "target": float(part.mean())} for name, part in shares.items()]
    medians = [{"name": name, "of": "median", "target": float(np.median(part))} for name, part in numbers.items()]
    return Comparison(
        task=application.task,
        model=application.shown_model,
        target=_side(target, len(drawn)),
        verdict={"differs": None, "level": distance.LEVEL,
                 "sentence": "No distance was measured: one data set came, and there is none to compare it with."},
        numbers=medians + means,
        origin=knowledge(application, alone=True),
    )  # fmt: skip


def _refuse_few(side: Gathered) -> None:
    if len(side) < FEWEST:
        raise DataError(
            "There are too few usable rows to compare", where=side.name, got=len(side),
            accepted=f"{FEWEST} or more", fix="Give more rows.",
        )  # fmt: skip


def _refuse_unlike_inputs(source: Gathered, target: Gathered) -> None:
    sides = [side.columns["input"] for side in (source, target)]
    if len(sides[0]) != len(sides[1]):
        raise DataError(
            "One side has pairs and the other single inputs: they cannot be compared", where=source.name,
            got=sides, fix="Name a column that both have, or give both sides both columns.",
        )  # fmt: skip


def _refuse_unknown_columns(application: Application, *sides: Gathered) -> None:
    """A column that is named must be on one side at least: where it is on one, the other side may call it otherwise."""
    known = [name for side in sides for name in side.records.columns]
    for name in (*(application.input_columns or ()), *(application.settings.target or ())):
        if name not in known:
            raise unknown("column", name, dict.fromkeys(known), where=" and ".join(side.name for side in sides))


def _look(
    application: Application, source: Gathered, target: Gathered, copies: np.ndarray, rows: int, seed: int
) -> Sides:  # fmt: skip
    """Draws rows of both sides and has the model look at all of them in one call."""
    random = np.random.default_rng(seed)
    drawn = _drawn(len(source), rows, random), _drawn(len(target), rows, random)
    values = [*(source.values[row] for row in drawn[0].tolist()), *(target.values[row] for row in drawn[1].tolist())]
    return Sides(
        source,
        target,
        drawn,
        application.view(values),
        copies[np.concatenate([drawn[0], drawn[1] + len(source)])],
        [application.traits(values), application.reading(values)],
    )


def _drawn(rows: int, most: int, random: np.random.Generator) -> np.ndarray:
    return np.sort(random.permutation(rows)[:most])


def _side(side: Gathered, compared: int) -> dict[str, Any]:
    return {
        "name": side.name, "rows": len(side), "compared": compared, "columns": side.columns,
        "quarantine": plain(side.aside.summary()),
    }  # fmt: skip


def _numbers_of(found: Distance) -> dict[str, Any]:
    return {
        "proxy": found.proxy, "balanced_accuracy": found.balanced_accuracy, "auc": found.auc,
        "p": found.p, "permutations": found.permutations,
    }  # fmt: skip


def _discrepancy(sides: Sides, seed: int) -> dict[str, Any]:
    return asdict(mmd.discrepancy(sides.features[: sides.cut], sides.features[sides.cut :], seed=seed))


def _verdict(found: Distance, sides: Sides) -> dict[str, Any]:
    chance = f"p = {found.p:.3f}; a difference is claimed below {distance.LEVEL}"
    if found.differs:
        told = f"{100 * found.balanced_accuracy.value:.0f} of 100 rows that it had not seen to their side"
        sentence = f"The sets differ: a classifier on the model's features told {told} ({chance})."
    else:
        sizes = " and ".join(f"{len(rows):,}" for rows in sides.drawn)
        sentence = f"No difference was found ({chance}). With {sizes} rows, a small one may be there unseen."
    return {"differs": found.differs, "level": distance.LEVEL, "sentence": sentence}


def _copies(source: Gathered, target: Gathered, copies: np.ndarray) -> dict[str, Any]:
    """The target rows that also stand in the source, exactly or nearly."""
    cut = len(source)
    rows = np.flatnonzero(np.isin(copies[cut:], copies[:cut]))
    if not rows.size:
        return {"rows": 0, "exact": 0, "share": 0.0}
    same = int(np.sum(exact([*source.values, *target.values])[cut:] < cut))
    first = {group: row for row, group in reversed(list(enumerate(copies[:cut].tolist())))}
    examples = [
        {"text": shown(target.values[row], _TOOLTIP), "target": place(target.records, row),
         "source": place(source.records, first[int(copies[cut + row])])}
        for row in rows[:_COPIES_SHOWN].tolist()
    ]  # fmt: skip
    share = len(rows) / len(target)
    what = "target row also stands" if len(rows) == 1 else "target rows also stand"
    sentence = (
        f"{len(rows):,} {what} in the source ({100 * share:.1f} % of the target; {same:,} exactly, the others nearly): "
        "measured on such rows, a model that learnt from the source looks better than it is."
    )
    return {"rows": len(rows), "exact": same, "share": share, "sentence": sentence, "examples": examples}


def _labels(source: Gathered, target: Gathered, seed: int) -> dict[str, Any]:
    """The class shares of both sides in full; `apart` where the distance is measured without their difference too."""
    lacking = [
        name
        for name, side in (("source", source), ("target", target))
        if side.labels is None or all(label is None for label in side.labels)
    ]
    if lacking:
        sides = "Neither side has" if len(lacking) == 2 else f"The {lacking[0]} has no"
        return {"sentence": f"{sides} labels: whether the class shares differ cannot be told."}
    here, there = ([class_of(label) for label in side.labels or ()] for side in (source, target))
    found = label_shift(here, there, seed)
    own = [(share.name, share.rows) for share in found.shares if not min(share.rows)]
    apart = bool(found.common) and (found.p < distance.LEVEL or bool(own))
    return {
        "shares": [asdict(share) for share in found.shares], "moved": found.moved, "p": found.p, "apart": apart,
        "sentence": " ".join(_told_of_labels(found.moved, found.p, own, bool(found.common))),
    }  # fmt: skip


def _told_of_labels(moved: float, p: float, own: Sequence[tuple[str, tuple[int, int]]], common: bool) -> list[str]:  # noqa: FBT001
    if not common:
        return ["The sides have no class in common: they ask different questions, or name their classes differently."]
    said = [f"The class shares differ: {100 * moved:.1f} % of the rows would have to change their class (p = {p:.3f})."]
    if p >= distance.LEVEL:
        said = [f"The class shares do not differ beyond chance (p = {p:.3f})."]
    for side, position in (("source", 0), ("target", 1)):
        if names := [name for name, rows in own if rows[position]]:
            more = f" and {len(names) - 5} more" if len(names) > 5 else ""
            said.append(f"Only in the {side}: {', '.join(names[:5])}{more}.")
    return said


def _equal_shares(sides: Sides, seed: int) -> dict[str, Any]:
    """The distance on rows of the common classes, each with the same share on both sides."""
    here, there = sides.classes()
    kept = evenly(here, there, seed)
    classes = len({here[row] for row in kept[0].tolist()})
    if min(map(len, kept)) < FEWEST:
        return {
            "sentence": f"With equal class shares fewer than {FEWEST} rows of a side are left: nothing is measured."
        }
    found = sides.measure(np.concatenate([kept[0], kept[1] + sides.cut]), seed)
    rows = " and ".join(f"{len(part):,}" for part in kept)
    what = "1 class" if classes == 1 else f"{classes} classes"
    verdict = "the inputs of like classes differ" if found.differs else "between like classes no difference was found"
    sentence = (
        f"With equal class shares ({what}, {rows} rows) the distance is {found.proxy} (p = {found.p:.3f}): {verdict}."
    )
    return _numbers_of(found) | {"rows": list(map(len, kept)), "classes": classes, "sentence": sentence}


def _words(sides: Sides) -> dict[str, Any]:
    words = sides.traits[0].words
    if not words:
        return {}
    found = shifts.words(words[: sides.cut], words[sides.cut :])
    return {
        "found": len(found),
        "target": [asdict(word) for word in found if word.z > 0][:_WORDS],
        "source": [asdict(word) for word in found if word.z < 0][:_WORDS],
    }


def _numbers(sides: Sides) -> list[dict[str, Any]]:
    numbers, shares = _measurements(sides.traits)
    every = numbers | shares
    here, there = ({name: part[rows] for name, part in every.items()}
                   for rows in (slice(sides.cut), slice(sides.cut, None)))  # fmt: skip
    return [
        asdict(found) | {"of": "mean" if found.name in shares else "median", "differs": found.differs}
        for found in shifts.numbers(here, there, shares)
    ]


def _measurements(traits: Sequence[Traits]) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """The numbers and the shares of traits, each under one name."""
    numbers = {name: part for trait in traits for name, part in trait.numbers.items()}
    kinds = [(group, kind, part) for trait in traits for group, parts in trait.shares.items()
             for kind, part in parts.items()]  # fmt: skip
    return numbers, {f"{group}: {kind}": np.asarray(part, dtype=np.float64) for group, kind, part in kinds}


def _examples(sides: Sides, found: Distance) -> dict[str, Any]:
    """The rows that were most surely taken for rows of their own side."""
    values, places, order = sides.values, sides.places, np.argsort(found.scores)
    picked = {"source": order[order < sides.cut][:_EXAMPLES], "target": order[order >= sides.cut][::-1][:_EXAMPLES]}
    return {
        side: [{"text": shown(values[row], _TEXT), "place": places[row], "likeness": float(found.likeness[row])}
               for row in rows.tolist()]
        for side, rows in picked.items()
    }  # fmt: skip


def _map(sides: Sides, found: Distance, seed: int) -> list[dict[str, Any]]:
    random, rows = np.random.default_rng(seed), len(found.scores)
    up, values = rest(sides.features, found.scores, seed), sides.values
    across = found.scores / (float(found.scores.std()) or 1.0)
    picked = [_drawn(sides.cut, _MAP_ROWS, random), _drawn(rows - sides.cut, _MAP_ROWS, random) + sides.cut]
    # In turn, so that no side lies on top of the other.
    order = random.permutation(np.concatenate(picked))
    return [
        {"x": round(float(across[row]), 3), "y": round(float(up[row]), 3),
         "side": "source" if row < sides.cut else "target", "text": excerpt(values[row], _TOOLTIP)}
        for row in order.tolist()
    ]  # fmt: skip
