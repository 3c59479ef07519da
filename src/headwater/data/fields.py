"""Fields: how columns of records become what a model reads, and how its answers become labels again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from headwater.data.box_field import Located
from headwater.data.image_field import Image, holds_images
from headwater.data.mask_field import Mask
from headwater.data.naming import classes_of, text_of, tidy
from headwater.data.no_target import NoTarget
from headwater.data.pictures import Picture
from headwater.data.records import Flaws, Records
from headwater.errors import DataError

TextInput = str | tuple[str, str]
Value = TextInput | Picture
"""The input of one row."""
_PLAIN = ("text", "text_2")
"""The columns that `data.memory` makes of a list of texts or pairs."""


@dataclass(frozen=True)
class Text:
    """One text column, or two that make a pair.

    Example:
        >>> import pyarrow as pa
        >>> Text(("review",)).values(Records(pa.table({"review": ["fine", " "]})))
        (['fine', None], {1: 'the text in column review is empty'})
    """

    columns: tuple[str, ...]

    def values(self, records: Records) -> tuple[list[Any], dict[int, str]]:
        """The text (or pair) of each row, None where there is none, and the reason for each None."""
        cells = [records.column(name) for name in self.columns]
        values: list[Any] = []
        reasons: dict[int, str] = {}
        for row, parts in enumerate(zip(*cells, strict=True)):
            wrong = None if row in records.problems else self._wrong(parts)
            if wrong:
                reasons[row] = wrong
            usable = wrong is None and row not in records.problems
            values.append((parts[0] if len(parts) == 1 else parts) if usable else None)
        return values, reasons

    def named(self, records: Records) -> Records:
        """Texts that came as a plain list, under the column names of this field.

        Raises:
            DataError: single texts came where a pair is read.
        """
        if len(self.columns) > 1 and tuple(records.columns) == _PLAIN[:1]:
            raise DataError(
                "A pair of texts is read here, and single texts came",
                where=records.name,
                accepted=f"the columns {', '.join(self.columns)}",
                fix="Give a file or table with these columns, or in Python a list of pairs.",
            )
        plain = _PLAIN[: len(self.columns)]
        if tuple(records.columns) != plain:
            return records
        return replace(records, table=records.table.rename_columns(list(self.columns)))

    def _wrong(self, parts: Sequence[Any]) -> str | None:
        for name, part in zip(self.columns, parts, strict=True):
            if part is None:
                return f"the text in column {name} is missing"
            if not isinstance(part, str):
                return f"column {name} holds {type(part).__name__}, not text"
            if not part.strip():
                return f"the text in column {name} is empty"
        return None


@dataclass(frozen=True)
class Category:
    """One label a row, out of a closed list of classes.

    Labels keep the type they came with, but are matched by their text: a model fitted on a CSV file, where 1 is text,
    can be evaluated on a table where 1 is a number.

    Example:
        >>> field = Category(("label",), ("neg", "pos"))
        >>> field.decode(np.array([[0.1, 0.9]]))
        ['pos']
    """

    columns: tuple[str, ...]
    classes: tuple[Any, ...] = ()
    several = False
    lack = "the label is missing"

    def learn(self, cells: Sequence[Any]) -> Category:
        """The field with the classes that occur in its cells."""
        return Category(self.columns, classes_of([tidy(cell) for cell in cells if tidy(cell) is not None]))

    def cells(self, records: Records) -> list[Any]:
        return [tidy(cell) for cell in records.column(self.columns[0])]

    def encode(self, cells: Sequence[Any]) -> tuple[np.ndarray, dict[int, str]]:
        """Class positions of shape (rows,), -1 where there is no label or an unknown one, and the reasons."""
        index = {text_of(value): position for position, value in enumerate(self.classes)}
        targets = np.array([-1 if cell is None else index.get(text_of(cell), -1) for cell in cells], dtype=np.int64)
        reasons = {
            row: self.lack if cells[row] is None else f"the label {text_of(cells[row])!r} was not in training"
            for row in np.flatnonzero(targets < 0).tolist()
        }
        return targets, reasons

    def decode(self, probabilities: np.ndarray) -> list[Any]:
        return [self.classes[position] for position in probabilities.argmax(axis=1).tolist()]


@dataclass(frozen=True)
class Labels:
    """Any number of labels a row: a list, several 0/1 columns, or one text cut at a separator.

    Example:
        >>> field = Labels(("tags",), ("art", "law"), separator="|")
        >>> field.encode([["law"], []])[0].tolist()
        [[0.0, 1.0], [0.0, 0.0]]
    """

    columns: tuple[str, ...]
    classes: tuple[Any, ...] = ()
    separator: str | None = None
    several = True

    @property
    def lack(self) -> str:
        """What is wrong with a row that `cells` has nothing for."""
        if len(self.columns) > 1:
            return "a label column holds neither 0 nor 1"
        return f"the labels are missing (write {self.separator or '[]'} where none holds)"

    def learn(self, cells: Sequence[Any]) -> Labels:
        if len(self.columns) > 1:
            return Labels(self.columns, self.columns, self.separator)
        return Labels(
            self.columns, classes_of([label for cell in cells if cell is not None for label in cell]), self.separator
        )

    def cells(self, records: Records) -> list[Any]:
        """The list of labels of each row, None where the target is missing."""
        if len(self.columns) > 1:
            flags = zip(*(records.column(name) for name in self.columns), strict=True)
            return [self._flagged(row) for row in flags]
        return [self._cut(cell) for cell in records.column(self.columns[0])]

    def encode(self, cells: Sequence[Any]) -> tuple[np.ndarray, dict[int, str]]:
        """Zeros and ones of shape (rows, classes), and the reasons for rows without usable labels."""
        index = {text_of(value): position for position, value in enumerate(self.classes)}
        targets = np.zeros((len(cells), len(self.classes)), dtype=np.float32)
        reasons: dict[int, str] = {}
        for row, cell in enumerate(cells):
            strange = [label for label in cell or () if text_of(label) not in index]
            if cell is None:
                reasons[row] = self.lack
            elif strange:
                reasons[row] = f"the label {text_of(strange[0])!r} was not in training"
            else:
                targets[row, [index[text_of(label)] for label in cell]] = 1.0
        return targets, reasons

    def decode(self, probabilities: np.ndarray) -> list[Any]:
        return [[self.classes[position] for position in np.flatnonzero(row >= 0.5)] for row in probabilities]

    def _flagged(self, row: tuple[Any, ...]) -> list[str] | None:
        texts = [None if value is None else str(tidy(value)).lower() for value in row]
        if any(text not in ("0", "1", "true", "false") for text in texts):
            return None
        return [name for name, text in zip(self.columns, texts, strict=True) if text in ("1", "true")]

    def _cut(self, cell: Any) -> list[Any] | None:
        if cell is None or isinstance(cell, list | tuple):
            return None if cell is None else [tidy(label) for label in cell]
        return [part.strip() for part in str(cell).split(self.separator) if part.strip()]


Input = Text | Image
Label = Category | Labels
Target = Label | Located | Mask | NoTarget
Field = Input | Target
_KINDS: dict[str, type[Any]] = {
    kind.__name__: kind for kind in (Text, Image, Category, Labels, Located, Mask, NoTarget)
}


def lacking(target: Any, records: Records) -> dict[int, str]:
    """Why rows have no target, by row.

    Example:
        >>> import pyarrow as pa
        >>> lacking(Category(("label",)), Records(pa.table({"label": ["art", None]})))
        {1: 'the label is missing'}
    """
    if isinstance(target, Located | Mask | NoTarget):
        return target.lacking(records)
    return {row: target.lack for row, cell in enumerate(target.cells(records)) if cell is None}


def settled(field: Any, train: Records) -> Any:
    """A field with what training rows decide before classes are learnt: of images, what is white; of masks, void."""
    return field.settled(train) if isinstance(field, Image | Mask) else field


def flaws_of(target: Any, records: Records) -> Flaws:
    """The parts of targets that cannot be used, of rows that can; labels have no parts."""
    return target.flaws(records) if isinstance(target, Located) else Flaws()


def cautions_of(target: Any, records: Records) -> list[str]:
    """What was assumed of targets and cannot be known, a sentence each; of labels there is nothing."""
    return target.cautions(records) if isinstance(target, Located | Mask) else []


def to_json(field: Field) -> dict[str, Any]:
    """A field as JSON values, which `from_json` reads back.

    Example:
        >>> from_json(to_json(Category(("label",), (0, 1)))) == Category(("label",), (0, 1))
        True
    """
    return {"kind": type(field).__name__, **asdict(field)}


def from_json(values: dict[str, Any]) -> Any:
    """The field that `to_json` described."""
    settings = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    kind = str(settings.pop("kind"))
    return _KINDS[kind](**settings)


_TARGET_NAMES = re.compile(r"(label|labels|target|class|category|sentiment|y|polarity|topic)$", re.IGNORECASE)


def usual_targets(records: Records) -> list[str]:
    """The columns that carry a usual name of a target."""
    return [name for name in records.columns if _TARGET_NAMES.match(name.strip())]


def find_target(records: Records) -> str:
    """The column that carries a usual name of a target.

    Raises:
        DataError: none does, or several do.
    """
    found = usual_targets(records)
    if len(found) == 1:
        return found[0]
    raise DataError(
        "No column has a usual name of a target" if not found else "Several columns could be the target",
        where=records.name, got=found or records.columns, fix="Name the label column with --target COLUMN.",
    )  # fmt: skip


def find_text(records: Records, exclude: Sequence[str]) -> str:
    """The column of text with the most characters a row, among those not excluded; paths of images are no text.

    Raises:
        DataError: there are no rows, or no column of text; or there is one of images alone.
    """
    sample = _sample(records, 1000)
    cells = {name: sample.column(name) for name in records.columns if name not in exclude}
    images = [name for name, column in cells.items() if holds_images(column)]
    lengths = {name: _mean_length(column) for name, column in cells.items() if name not in images}
    candidates = {name: length for name, length in lengths.items() if length > 0}
    if images and not candidates:
        raise DataError(
            f"Column {images[0]} holds images, not text", where=records.name,
            fix="Take a task that reads images: for classes image-classification, which compare and rank take as "
            "--task image-classification. Text that only looks like paths of images is named with --text COLUMN.",
        )  # fmt: skip
    if not candidates:
        raise DataError(
            "No column holds text",
            where=records.name,
            got=records.columns,
            fix="Name the text column with --text COLUMN.",
        )
    return max(candidates, key=lambda name: candidates[name])


def _mean_length(cells: Sequence[Any]) -> float:
    texts = [cell for cell in cells if isinstance(cell, str)]
    return sum(map(len, texts)) / len(texts) if texts else 0.0


def find_image(records: Records, exclude: Sequence[str]) -> str:
    """The column that holds images, among those not excluded: bytes, or paths that end as those of images do.

    Raises:
        DataError: there are no rows, no column of images, or several.
    """
    sample = _sample(records, 200)
    found = [name for name in records.columns if name not in exclude and holds_images(sample.column(name))]
    if len(found) == 1:
        return found[0]
    raise DataError(
        "No column holds images" if not found else "Several columns hold images",
        where=records.name, got=found or records.columns, fix="Name the column of images with --image COLUMN.",
    )  # fmt: skip


def _sample(records: Records, rows: int) -> Records:
    """The first usable rows.

    Raises:
        DataError: there are no rows at all.
    """
    if not len(records):
        raise DataError(
            "There are column names but no rows", where=records.name, got=records.columns, fix="Give rows below them."
        )
    return records.take(records.usable[:rows])
