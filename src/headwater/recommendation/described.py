"""How items are described: which columns of their table are words, which one holds pictures, and what both say."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from headwater.data.image_field import Image, holds_images
from headwater.data.naming import text_of, tidy
from headwater.data.pictures import Picture
from headwater.data.records import Records
from headwater.errors import DataError, SettingError
from headwater.recommendation.recommender import Known
from headwater.settings import Settings

log = logging.getLogger("headwater")
_SEPARATED: Final = re.compile(r"\s*[|;]\s*")
_ADDRESS: Final = re.compile(r"(https?://|www\.)", re.IGNORECASE)
_FLAGS: Final = frozenset({"0", "1", "true", "false"})
_YES: Final = frozenset({"1", "true"})
_SAMPLE: Final = 2000
_FEW: Final = 0.2
"""The share of different values up to which numbers are words, as years are, and not measurements or codes."""


@dataclass(frozen=True)
class Described:
    """Where the words and the picture of an item stand.

    Attributes:
        words: the columns of words, in the order of the table.
        image: the column of pictures, if there is one.
    """

    words: tuple[str, ...]
    image: str | None = None


def described(items: Records, settings: Settings, names: Sequence[Any] = ()) -> Described:
    """The columns that the settings name; else all that hold words, and the one that holds pictures.

    Words are texts and lists of texts, numbers that few values make, such as years, and columns of 0 and 1, which stand
    for their name. Names of items, codes that differ from row to row, and addresses are none.

    Args:
        items: a row for each item.
        settings: of them `text` and `image`.
        names: of the items, by which the column of their names is known.

    Raises:
        NotFoundError: a column that is named is not there.
        SettingError: more than one column of images is named.

    Example:
        >>> import pyarrow as pa
        >>> table = pa.table({"id": ["a", "b"], "title": ["A boat", "Two boats"], "cover": ["a.png", "b.png"]})
        >>> described(Records(table), Settings(), ["a", "b"])
        Described(words=('title',), image='cover')
    """
    for named in (*(settings.text or ()), *(settings.image or ())):
        items.column(named)
    if settings.image and len(settings.image) > 1:
        raise SettingError(
            "An item has one column of images", where="--image", got=settings.image, fix="Name one of them."
        )
    sample = items.take(range(min(len(items), _SAMPLE)))
    own = {text_of(name) for name in names}
    cells = {name: [cell for cell in sample.column(name) if tidy_cell(cell) is not None] for name in items.columns}
    pictures = [name for name, column in cells.items() if column and holds_images(column)]
    image = settings.image[0] if settings.image else next(iter(pictures), None)
    found = [name for name, column in cells.items() if name not in pictures and _are_words(column, own)]
    return Described(settings.text or tuple(found), image)


def tidy_cell(cell: Any) -> Any:
    """A cell, None where it holds nothing."""
    return cell if isinstance(cell, bytes | dict | list | tuple) else tidy(cell)


def words_of(items: Records, columns: Sequence[str]) -> list[list[str]]:
    """The words of each column, one list a column: a text for each item, empty where it has none.

    Values that stand in one cell, as a list or between `|` or `;`, are divided by commas; a list of single words by
    spaces.

    Example:
        >>> import pyarrow as pa
        >>> words_of(Records(pa.table({"genres": ["War|Drama", None], "War": ["1", "0"]})), ["genres", "War"])
        [['War, Drama', ''], ['War', '']]
    """
    return [_texts(name, items.column(name)) for name in columns]


def texts_of(items: Records, columns: Sequence[str]) -> list[str]:
    """One text for each item: what all columns say of it, divided by commas; empty where none says anything."""
    return [", ".join(part for part in parts if part) for parts in zip(*words_of(items, columns), strict=True)]


def pictures_of(items: Records, column: str) -> list[Picture | None]:
    """The picture of each item, None where there is none that can be read; paths are relative to the items' file."""
    pictures, reasons = Image((column,)).values(items)
    named = [row for row, cell in enumerate(items.column(column)) if tidy_cell(cell) is not None]
    if unread := [row for row in named if row in reasons]:
        log.warning("%d of %d pictures of items cannot be read: %s", len(unread), len(named), reasons[unread[0]])
    return pictures


def need_words(known: Known, settings: Settings, model: str) -> tuple[Records, tuple[str, ...]]:
    """The table of items, and its columns of words.

    Raises:
        DataError: there is no table, or no words are in it.
    """
    items = _table(known, model)
    found = described(items, settings, known.interactions.item_ids.names).words
    if not found:
        raise DataError(
            f"No column describes items in words, as {model} needs", where=items.name, got=items.columns,
            fix="Name the columns with --text COLUMN, or take a model that needs no words.",
        )  # fmt: skip
    return items, found


def need_image(known: Known, settings: Settings, model: str) -> tuple[Records, str]:
    """The table of items, and its column of pictures.

    Raises:
        DataError: there is no table, or no pictures are in it.
    """
    items = _table(known, model)
    found = described(items, settings, known.interactions.item_ids.names).image
    if found is None:
        raise DataError(
            f"No column holds pictures of items, as {model} needs", where=items.name, got=items.columns,
            fix="Name the column with --image COLUMN, or take a model that needs no pictures.",
        )  # fmt: skip
    return items, found


def need_any(known: Known, settings: Settings, model: str) -> tuple[Records, Described]:
    """The table of items, and its columns of words and pictures, one kind at least.

    Raises:
        DataError: there is no table, or nothing of the kind is in it.
    """
    items = _table(known, model)
    found = described(items, settings, known.interactions.item_ids.names)
    if not found.words and found.image is None:
        raise DataError(
            f"No column describes items in words or pictures, as {model} needs", where=items.name, got=items.columns,
            fix="Name columns with --text COLUMN or --image COLUMN, or take a model that needs neither.",
        )  # fmt: skip
    return items, found


def _table(known: Known, model: str) -> Records:
    if known.items is None:
        raise DataError(
            f"{model} recommends by what items are, and nothing describes them", where="--items",
            fix="Give a table of items with --items FILE, or take a model that needs none.",
        )  # fmt: skip
    return known.items


def _are_words(cells: Sequence[Any], own: set[str]) -> bool:
    texts = [text_of(tidy(cell)) for cell in cells if not isinstance(cell, list | tuple | dict | bytes)]
    if len(texts) < len(cells):
        return not texts and all(isinstance(cell, list | tuple) for cell in cells)
    if not texts or own.issuperset(texts) or sum(bool(_ADDRESS.match(text)) for text in texts) > len(texts) / 2:
        return False
    if _FLAGS.issuperset(text.lower() for text in texts):
        return True
    coded = all(" " not in text and any(map(str.isdigit, text)) for text in texts)
    return not coded or len(set(texts)) <= max(1, _FEW * len(texts))


def _texts(name: str, cells: Sequence[Any]) -> list[str]:
    # A list of single words may well be a title that was cut into them; commas would cut it for its readers as well.
    cut = all(" " not in text_of(part).strip() for cell in cells if isinstance(cell, list | tuple) for part in cell)
    texts = ["" if tidy_cell(cell) is None else _text(cell, " " if cut else ", ") for cell in cells]
    if _FLAGS.issuperset(text.lower() for text in texts if text):
        return [name if text.lower() in _YES else "" for text in texts]
    return texts


def _text(cell: Any, between: str) -> str:
    if isinstance(cell, list | tuple):
        return between.join(text_of(part).strip() for part in cell if tidy(part) is not None)
    return ", ".join(part for part in _SEPARATED.split(text_of(tidy(cell))) if part)
