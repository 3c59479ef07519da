"""Rows divided into train, valid and test, such that nothing of a held-out row is known to the rows that train."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from scipy.sparse import csr_array

from headwater.data.duplicates import clusters, exact, place, summary
from headwater.data.fields import text_of
from headwater.data.groups import join
from headwater.data.holdout import Sparse, grouped, newest, stratified
from headwater.data.records import Records
from headwater.data.times import times
from headwater.errors import DataError, SettingError
from headwater.settings import Settings

PARTS: Final = ("train", "valid", "test")
_PART_OF: Final = {
    "train": 0, "training": 0,
    "valid": 1, "validation": 1, "val": 1, "dev": 1, "development": 1,
    "test": 2, "testing": 2,
}  # fmt: skip
_LEAST_ROWS: Final = 2
_SHOWN: Final = 5
_OF_ONE_KIND: Final = ""
"""The class of rows that have none."""

Cut = Callable[[np.ndarray, float], np.ndarray]
"""Rows and a share in; a mask of the rows that are held out."""


@dataclass(frozen=True)
class Splits:
    """Where each row went.

    Attributes:
        train: positions of the rows to learn from, ascending.
        valid: positions of the rows that choose between settings; empty when the user brought their own.
        test: positions of the rows that measure; empty when the user brought their own.
        groups: what `together` says of the rows.
        findings: how it was done and what was found, for the report; plain JSON values.
    """

    train: np.ndarray
    valid: np.ndarray
    test: np.ndarray
    groups: np.ndarray
    findings: dict[str, Any]


@dataclass(frozen=True)
class _Rows:
    """All that a split looks at.

    Attributes:
        labels: zeros and ones of shape (rows, classes).
        classes: the text of each class.
        copies: for each row the first of its cluster of duplicates.
        groups: what `together` says of the rows.
        parts: the parts that are wanted, as positions in `PARTS`.
    """

    records: Records
    labels: Sparse
    classes: list[str]
    copies: np.ndarray
    groups: np.ndarray
    parts: tuple[int, ...]
    settings: Settings


def split(
    records: Records, inputs: Sequence[Any], cells: Sequence[Any], settings: Settings, *, want_test: bool,
    want_valid: bool,
) -> Splits:  # fmt: skip
    """Divides rows by the user's column, by group, by time, or else with equal shares of every class.

    Duplicates never straddle. Without a target these are exact copies alone: there is no label that a near copy could
    give away, and the frames of one film are all near one another. Without a rule of the user's duplicates move
    together, and so do groups that share one. Where the rule decides (a column, time, or groups that duplicates would
    tie into one), the copy in the less held-out part is dropped: from train and valid, never from test. A split by
    time so stays one: no training row is newer than a test row.

    Args:
        records: the rows, all of them usable.
        inputs: the text, pair of texts or picture of each row.
        cells: the label of each row, or its list of labels; None in every row of a task without a target.
        settings: `split`, `group`, `time`, the shares and the seed are read.
        want_test: whether to hold out test rows; False when the user brought a file of them.
        want_valid: the same of validation rows.

    Raises:
        SettingError: settings that contradict one another.
        NotFoundError: a column that does not exist.
        DataError: one class, too few rows or groups, or cells that cannot be understood, each with its line.

    Example:
        >>> import pyarrow as pa
        >>> texts, labels = [f"text number {i}" for i in range(20)], ["a", "b"] * 10
        >>> records = Records(pa.table({"text": texts, "label": labels}))
        >>> splits = split(records, texts, labels, Settings(), want_test=True, want_valid=True)
        >>> len(splits.train), len(splits.valid), len(splits.test)
        (14, 2, 4)
    """
    _refuse_contradictions(settings)
    parts = (0,) + (1,) * want_valid + (2,) * want_test
    labels, classes = _labels_of(records, cells)
    copies = (exact if without_target(cells) else clusters)(inputs)
    groups = _together(records, copies, settings, parts)
    rows = _Rows(records, labels, classes, copies, groups, parts, settings)
    part_of = _by_column(rows) if settings.split else _by_shares(rows, _cut_of(rows), np.zeros(len(records), np.int64))
    kept = _without_copies(part_of, rows.copies)
    splits = [np.flatnonzero(kept == part) for part in range(len(PARTS))]
    _refuse_small(rows, splits)
    train, valid, test = splits
    findings = _findings(rows, part_of, splits, summary(copies, records, inputs, cells))
    return Splits(train, valid, test, groups, findings)


def together(records: Records, inputs: Sequence[Any], settings: Settings) -> np.ndarray:
    """For each row a number: rows of one number are copies of one another, or of one group of the user's.

    What has learnt from one of them knows the others: no division, nor any fold of the training rows, may part them.

    Args:
        records: the rows, all of them usable.
        inputs: the text, pair of texts or picture of each row.
        settings: `group` is read.

    Example:
        >>> import pyarrow as pa
        >>> records = Records(pa.table({"text": ["good", "fine", "Good!"], "by": ["a", "b", "c"]}))
        >>> together(records, ["good", "fine", "Good!"], Settings()).tolist()
        [0, 1, 0]
    """
    return _together(records, clusters(inputs), settings, (0,))


def cautions(findings: dict[str, Any]) -> list[str]:
    """What a reader must know of how rows were divided, as sentences.

    Example:
        >>> cautions({"column": "farm", "classes_of_one_group": ["owl"]})[0][:44]
        'Class owl occurs in one group of column farm'
    """
    alone = findings["classes_of_one_group"]
    if not alone:
        return []
    shown = ", ".join(alone[:_SHOWN]) + (f" and {len(alone) - _SHOWN} more" if len(alone) > _SHOWN else "")
    what = f"Class {shown} occurs" if len(alone) == 1 else f"Classes {shown} each occur"
    return [
        f"{what} in one group of column {findings['column']} only: whoever learns from it has no other row to be "
        "measured on, neither in the test rows nor in folds of the training rows, so no figure tells how well it is "
        "found."
    ]


def without_target(cells: Sequence[Any]) -> bool:
    """Whether these are the cells of a task that learns from inputs alone.

    Example:
        >>> without_target([None, None]), without_target(["good", None]), without_target([])
        (True, False, False)
    """
    return len(cells) > 0 and all(cell is None for cell in cells)


def straddlers(train_inputs: Sequence[Any], other_inputs: Sequence[Any], *, near: bool = True) -> np.ndarray:
    """Positions of the training rows that are exact or, if asked for, `near` duplicates of a row in `other_inputs`.

    Example:
        >>> straddlers(["a fine film", "dull"], ["A fine film!"]).tolist()
        [0]
    """
    copies = (clusters if near else exact)([*train_inputs, *other_inputs])
    here, there = np.split(copies, [len(train_inputs)])
    return np.flatnonzero(np.isin(here, there))


def _refuse_contradictions(settings: Settings) -> None:
    rules = {name: getattr(settings, name) for name in ("split", "group", "time") if getattr(settings, name)}
    if len(rules) > 1:
        raise SettingError(
            f"{' and '.join(rules)} contradict each other: each is a rule of its own for dividing rows",
            got=rules, fix="Keep one of them.",
        )  # fmt: skip


def _labels_of(records: Records, cells: Sequence[Any]) -> tuple[Sparse, list[str]]:
    """Zeros and ones of shape (rows, classes), and the text of each class in order of appearance."""
    if without_target(cells):  # all of one kind
        return csr_array(np.ones((len(cells), 1), np.int64)), [_OF_ONE_KIND]
    several = any(isinstance(cell, list | tuple) for cell in cells)
    texts = [sorted(set(map(text_of, cell))) if several else [text_of(cell)] for cell in cells]
    index: dict[str, int] = {}
    columns = [index.setdefault(text, len(index)) for row in texts for text in row]
    if several and not index:
        raise DataError(
            "No row has a label", where=records.name, got=f"{len(texts):,} rows with an empty target",
            fix="Check --target, and what was set aside.",
        )  # fmt: skip
    if not several and len(index) < 2:
        raise DataError(
            "The target needs at least two classes", where=records.name, got=list(index),
            fix="Check --target, and that the data was not cut down to one class.",
        )  # fmt: skip
    ends = np.cumsum([0, *map(len, texts)])
    return csr_array((np.ones(len(columns), np.int64), columns, ends), shape=(len(cells), len(index))), list(index)


def _by_column(rows: _Rows) -> np.ndarray:
    """The part that the user's column names for each row; wanted parts that it never names are cut from train."""
    column = rows.settings.split or ""
    cells = rows.records.column(column)
    named = [_PART_OF.get(str(cell).strip().lower()) for cell in cells]
    wrong = next((row for row, part in enumerate(named) if part is None), None)
    if wrong is not None:
        raise DataError(
            f"Column {column} is to say the part of each row, but this cell does not",
            where=place(rows.records, wrong), got=cells[wrong], accepted="train, valid, validation, dev, test",
        )  # fmt: skip
    part_of = np.array(named, dtype=np.int64)
    for part in {1, 2} - set(rows.parts):
        if (part_of == part).any():
            raise SettingError(
                f"The {PARTS[part]} rows come twice: from column {column} and from a file of their own",
                where="--split", got=column, fix=f"Drop --split or --{PARTS[part]}.",
            )  # fmt: skip
    return _by_shares(rows, _equal_shares(rows), part_of)


def _by_shares(rows: _Rows, cut: Cut, part_of: np.ndarray) -> np.ndarray:
    """`part_of` with the wanted parts that are empty in it cut from train: test first, then valid from the rest."""
    part_of = part_of.copy()
    for part, share in ((2, rows.settings.test_share), (1, rows.settings.valid_share)):
        if part in rows.parts and not (part_of == part).any():
            rest = np.flatnonzero(part_of == 0)
            part_of[rest[cut(rest, max(share, _LEAST_ROWS / max(len(rest), 1)))]] = part
    return part_of


def _cut_of(rows: _Rows) -> Cut:
    settings = rows.settings
    if settings.time:
        moments = _moments(rows, settings.time)
        return lambda rest, share: newest(moments[rest], share)
    if settings.group:
        return lambda rest, share: grouped(rows.groups[rest], rows.labels[rest], share, settings.seed)
    return _equal_shares(rows)


def _equal_shares(rows: _Rows) -> Cut:
    """Stratified, but for the rows of classes that have fewer rows than there are parts: those stay in train."""
    rare = rows.labels.sum(axis=0) < len(rows.parts)
    tied = rows.copies[rows.labels[:, rare].sum(axis=1) > 0]
    free = ~np.isin(rows.copies, tied)

    def cut(rest: np.ndarray, share: float) -> np.ndarray:
        held, pool = np.zeros(len(rest), dtype=bool), free[rest]
        held[pool] = stratified(rows.copies[rest[pool]], rows.labels[rest[pool]], share, rows.settings.seed)
        return held

    return cut


def _moments(rows: _Rows, column: str) -> np.ndarray:
    moments = times(rows.records, column)
    if len(rows.parts) > 1 and moments.min() == moments.max():
        raise DataError(
            f"Column {column} holds one point in time only, so no row is newer than another",
            where=rows.records.name, got=rows.records.column(column)[0], fix="Name another column with --time.",
        )  # fmt: skip
    return moments


def _together(records: Records, copies: np.ndarray, settings: Settings, parts: Sequence[int]) -> np.ndarray:
    return copies if settings.group is None else _tied(_groups_of(records, settings.group, parts), copies, parts)


def _groups_of(records: Records, column: str, parts: Sequence[int]) -> np.ndarray:
    """A number for each row's group; a row without one is a group of its own."""
    numbers: dict[Any, int] = {}
    cells = records.column(column)
    groups = np.array(
        [numbers.setdefault((row,) if cell is None else text_of(cell), row) for row, cell in enumerate(cells)]
    )
    if len(numbers) < len(parts):
        raise DataError(
            f"Column {column} leaves too few groups for {_listed(parts)}",
            where=records.name, got=len(numbers), accepted=f"{len(parts)} groups or more",
            fix="Name another column with --group, or bring files of your own with --valid and --test.",
        )  # fmt: skip
    return groups


def _tied(groups: np.ndarray, copies: np.ndarray, parts: Sequence[int]) -> np.ndarray:
    """Groups joined where they share a duplicate, unless that would tie most of the data into one.

    A common short text ("good", "thanks") can do so; then the groups stay apart and its copies leave train.
    """
    size = len(groups)
    tied = join(size, np.concatenate([np.stack([np.arange(size), other], axis=1) for other in (groups, copies)]))
    sizes = np.bincount(tied)
    return tied if np.count_nonzero(sizes) >= len(parts) and 2 * sizes.max() <= size else groups


def _without_copies(part_of: np.ndarray, copies: np.ndarray) -> np.ndarray:
    """`part_of` with -1 for the rows that have a copy in a part more held out than their own."""
    furthest = np.zeros(len(copies), dtype=np.int64)
    np.maximum.at(furthest, copies, part_of)
    return np.where(part_of < furthest[copies], -1, part_of)


def _refuse_small(rows: _Rows, splits: Sequence[np.ndarray]) -> None:
    for part in rows.parts:
        if len(splits[part]) < _LEAST_ROWS:
            apart = len(np.unique(rows.copies))
            kinds = "copies" if rows.classes == [_OF_ONE_KIND] else "copies or near copies"
            near = f", of which only {apart} are no {kinds} of others," if apart < len(rows.copies) else ""
            # Rare classes are dealt first, and training rows have the first of each.
            many = f" of {len(rows.classes)} classes" if len(rows.classes) > len(rows.records) else ""
            raise DataError(
                f"{len(rows.records)} rows{many}{near} leave too few {PARTS[part]} rows",
                where=rows.records.name, got=len(splits[part]), accepted=f"{_LEAST_ROWS} rows or more in each part",
                fix="Give more rows, or bring files of your own with --valid and --test.",
            )  # fmt: skip
    seen = _present(rows, splits[0])
    if len(rows.classes) > 1 and len(seen) < 2:
        raise DataError(
            "The train rows of this split hold one class only", where=rows.records.name, got=seen,
            fix="Divide the rows in another way: the training rows need at least two classes.",
        )  # fmt: skip


def _present(rows: _Rows, part: np.ndarray) -> list[str]:
    return [rows.classes[label] for label in np.flatnonzero(rows.labels[part].sum(axis=0)).tolist()]


def _findings(
    rows: _Rows, part_of: np.ndarray, splits: Sequence[np.ndarray], duplicates: dict[str, Any]
) -> dict[str, Any]:
    settings, totals = rows.settings, rows.labels.sum(axis=0)
    rule = next((name for name in ("split", "group", "time") if getattr(settings, name)), None)
    rule = rule or ("stratified" if any(rows.classes) else "random")
    dropped = np.setdiff1d(np.arange(len(part_of)), np.concatenate(splits))
    trained = set(_present(rows, splits[0]))
    return {
        "rule": rule,
        "column": getattr(settings, rule, None),
        "rows": {name: len(part) for name, part in zip(PARTS, splits, strict=True)},
        "duplicates": duplicates,
        "dropped": {name: int((part_of[dropped] == part).sum()) for part, name in enumerate(PARTS)},
        "dropped_places": [place(rows.records, row) for row in dropped[:3].tolist()],
        "rare_classes": [rows.classes[label] for label in np.flatnonzero(totals < len(rows.parts)).tolist()],
        "unseen_classes": [name for name in rows.classes if name not in trained],
        "classes_of_one_group": _of_one_group(rows) if settings.group else [],
    }


def _of_one_group(rows: _Rows) -> list[str]:
    """The classes whose rows all belong together."""
    members, classes = rows.labels.nonzero()
    pairs = np.unique(np.stack([classes, rows.groups[members]], axis=1), axis=0)
    lone = np.bincount(pairs[:, 0], minlength=len(rows.classes)) == 1
    return [rows.classes[label] for label in np.flatnonzero(lone).tolist() if rows.classes[label] != _OF_ONE_KIND]


def _listed(parts: Sequence[int]) -> str:
    return " and ".join(PARTS[part] for part in parts)
