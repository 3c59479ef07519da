"""What a look at the data tells before anything learns from it: sizes, classes, lengths, scripts, and what is odd."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa

from headwater.data.duplicates import exact, fold, summary
from headwater.data.fields import TextInput, text_of
from headwater.data.image_field import holds_images
from headwater.data.pictures import Picture, look
from headwater.data.records import Records
from headwater.data.traits import script_of

_QUANTILES: Final = (0, 5, 25, 50, 75, 95, 100)
_SCRIPT_ROWS: Final = 10_000
_SCRIPT_CHARACTERS: Final = 1_000
_IMAGE_ROWS: Final = 200
_LEAST_ROWS: Final = 20
_SORTED: Final = 0.5
_TOLD: Final = 0.5


def audit(records: Records, inputs: Sequence[Any], cells: Sequence[Any]) -> dict[str, Any]:
    """The data at a glance, as plain JSON values for the report.

    Args:
        records: all rows, those that could not be read included.
        inputs: the text, pair or picture of each row, None where there is none.
        cells: the label of each row, or its list of labels, None where there is none.

    Returns:
        rows; empty (rows without an input) and unlabelled; columns with their types; classes and their rows; quantiles
        of the lengths in words and characters, or of width and height in pixels; exact duplicates and their conflicting
        labels; the share of each script among the letters; of pictures, the share of grey ones and how many files have
        each format; warnings, each a sentence.

    Example:
        >>> records = Records(pa.table({"text": ["fine", "dull", None], "label": ["pos", "neg", "neg"]}))
        >>> found = audit(records, ["fine", "dull", None], ["pos", "neg", "neg"])
        >>> found["classes"], found["empty"], found["scripts"]
        ({'neg': 2, 'pos': 1}, 1, {'Latin': 1.0})
    """
    rows = np.array([row for row, value in enumerate(inputs) if value is not None], dtype=np.int64)
    given, labels = [inputs[row] for row in rows.tolist()], [cells[row] for row in rows.tolist()]
    are_pictures = bool(given) and isinstance(given[0], Picture)
    seen = _seen(given) if are_pictures else _read(given)
    telling = [] if are_pictures else _text_warnings(given, labels)
    order = [] if _are_folders(records) else _label_warnings(labels)
    return {
        "rows": len(records),
        "empty": len(records) - len(given),
        "unlabelled": sum(cell is None for cell in cells),
        "columns": [_column(records, name) for name in records.columns],
        "classes": dict(Counter(label for cell in cells for label in _labels(cell)).most_common()),
        "lengths": seen.pop("lengths"),
        "duplicates": summary(exact(given), records.take(rows), given, labels),
        **seen,
        "warnings": [*_column_warnings(records, cells), *telling, *order],
    }


def _read(texts: Sequence[TextInput]) -> dict[str, Any]:
    """What only a look at texts tells."""
    return {
        "lengths": {"words": _quantiles(_words(texts)), "characters": _quantiles(_characters(texts))},
        "scripts": _scripts(texts),
    }


def _seen(pictures: Sequence[Picture]) -> dict[str, Any]:
    """What only a look at pictures tells."""
    seen = look(pictures)
    return {
        "lengths": {
            "width": _quantiles([one.width for one in seen]),
            "height": _quantiles([one.height for one in seen]),
        },
        "scripts": {},
        "pictures": {
            "grey": round(sum(one.grey for one in seen) / len(seen), 3),
            "formats": dict(Counter(one.kind for one in seen).most_common()),
        },
    }


def _column(records: Records, name: str) -> dict[str, Any]:
    column = records.table.column(name)
    # Arrow cannot count the distinct values of nested columns; those of images are counted as duplicates.
    uncounted = pa.types.is_nested(column.type) or pa.types.is_large_binary(column.type)
    distinct = None if uncounted else len(column.drop_null().unique())
    return {"name": name, "type": str(column.type), "empty": column.null_count, "distinct": distinct}


def _labels(cell: Any) -> list[str]:
    if cell is None:
        return []
    return [text_of(label) for label in cell] if isinstance(cell, list | tuple) else [text_of(cell)]


def _whole(text: TextInput) -> str:
    return text if isinstance(text, str) else " ".join(text)


def _words(texts: Sequence[TextInput]) -> list[int]:
    """Words a text; in scripts without spaces each character is one."""
    return [len(fold(_whole(text)).split(" ")) for text in texts]


def _characters(texts: Sequence[TextInput]) -> list[int]:
    return [len(_whole(text)) for text in texts]


def _quantiles(lengths: Sequence[int]) -> dict[str, int]:
    """The lengths below which each percentage of rows stays."""
    if not lengths:
        return {}
    values = np.percentile(lengths, _QUANTILES).round().astype(int).tolist()
    return {str(percent): value for percent, value in zip(_QUANTILES, values, strict=True)}


def _scripts(texts: Sequence[TextInput]) -> dict[str, float]:
    """The share of each script among the letters of a sample, the commonest first."""
    step = max(1, len(texts) // _SCRIPT_ROWS)
    letters: Counter[str] = Counter()
    for text in texts[::step]:
        letters.update(_whole(text)[:_SCRIPT_CHARACTERS])
    scripts: Counter[str] = Counter()
    for letter, times in letters.items():
        if letter.isalpha():
            scripts[script_of(letter)] += times
    shares = {name: round(times / scripts.total(), 3) for name, times in scripts.most_common()}
    return {name: share for name, share in shares.items() if share > 0}


def _column_warnings(records: Records, cells: Sequence[Any]) -> list[str]:
    first = records.table.slice(0, _IMAGE_ROWS)
    names = [name for name in records.columns if not holds_images(first.column(name).to_pylist())]
    columns = {name: records.column(name) for name in names}
    warnings = [
        f"Column {name} numbers the rows: it tells nothing of new ones."
        for name, found in columns.items()
        if _numbers_rows(found)
    ]
    labels = [", ".join(sorted(_labels(cell))) for cell in cells]
    same = [name for name, found in columns.items() if _renames(found, labels)]
    if len(same) > 1:
        warnings.append(f"Columns {', '.join(same)} say the same as the label: none of them may be an input.")
    return warnings


def _numbers_rows(column: Sequence[Any]) -> bool:
    """Whether a column has another value in every row, and each is a number or one short word."""
    cells = [cell for cell in column if cell is not None]
    short = all(isinstance(cell, int) or (isinstance(cell, str) and len(cell) <= 40 and " " not in cell)
                for cell in cells)  # fmt: skip
    return short and len(cells) >= _LEAST_ROWS and len(set(cells)) == len(cells)


def _renames(cells: Sequence[Any], labels: Sequence[str]) -> bool:
    """Whether each value of a column goes with one label and each label with one value."""
    pairs = {(text_of(cell), label) for cell, label in zip(cells, labels, strict=True) if cell is not None and label}
    values, names = {value for value, _ in pairs}, {label for _, label in pairs}
    return len(names) > 1 and len(pairs) == len(values) == len(names) < len(labels)


def _text_warnings(texts: Sequence[TextInput], cells: Sequence[Any]) -> list[str]:
    telling = _telling_share(texts, list(map(_labels, cells)))
    if telling <= _TOLD:
        return []
    return [f"{telling:.0%} of the texts contain their own label: a model may only learn to find it."]


def _are_folders(records: Records) -> bool:
    """Whether each row is a file of its own: where folders are classes, their order is nobody's doing."""
    return records.file_of is not None and len(np.unique(records.file_of)) == len(records)


def _label_warnings(cells: Sequence[Any]) -> list[str]:
    labels = list(map(_labels, cells))
    # Of several labels neighbours share most without being sorted: frames of a video, pages of a book.
    if max(map(len, labels), default=0) > 1 or not _in_order(labels):
        return []
    return ["The rows are sorted by their label: their order is no order in time, and parts of them no sample."]


def _telling_share(texts: Sequence[TextInput], labels: Sequence[Sequence[str]]) -> float:
    """The share of rows whose text holds one of their labels as words; labels without a letter do not count."""
    rows = [
        any(f" {name} " in f" {fold(_whole(text))} " for name in map(fold, names) if any(map(str.isalpha, name)))
        for text, names in zip(texts, labels, strict=True)
    ]
    return sum(rows) / len(rows) if rows else 0.0


def _in_order(labels: Sequence[Sequence[str]]) -> bool:
    """Whether neighbours have the same label far more often than they would in random order."""
    names = np.unique([", ".join(sorted(row)) for row in labels], return_inverse=True)[1]
    if len(names) < _LEAST_ROWS:
        return False
    changes = np.count_nonzero(np.diff(names))
    expected = (len(names) - 1) * (1 - np.sum((np.bincount(names) / len(names)) ** 2))
    return bool(changes < _SORTED * expected)
