"""The field of masks: how the cells of a column become the class of every pixel of a picture."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final

from headwater.data.class_names import ClassNames, names_near
from headwater.data.image_field import picture_of
from headwater.data.mask_doubts import crowded, mixed
from headwater.data.mask_frames import Pair, convention, turn_of
from headwater.data.mask_void import asked_void, seen_void
from headwater.data.masks import ClassMap, MaskGlance, code_of, is_colour, mask_glance, written
from headwater.data.pictures import Glance, Picture, look
from headwater.data.records import Records
from headwater.data.turns import not_told
from headwater.errors import DataError

log = logging.getLogger("headwater")
_MOST_CLASSES: Final = 255
"""The classes that a picture of 8 bits can number beside void."""


@dataclass(frozen=True)
class Mask:
    """One column of masks: each a path, `archive.zip!/name`, or the bytes of a file; of the size of its picture.

    A class is called as the file of names beside the masks has it, else by its number or colour. Codes of `void`, and
    classes that no training row has, are the class of no pixel.

    Attributes:
        columns: the column of the masks.
        image: the column of the pictures they belong to.
        classes: the classes of the training rows, in the order of their numbers.
        void: the codes, as they are written, that are no class.
        names: for codes, as they are written, their names.
        asked: whether the user said what is void.
        lying: whether masks were drawn on files as they lie, before EXIF turns them; None where the data does not tell.

    Example:
        >>> import numpy as np
        >>> import pyarrow as pa
        >>> from headwater.data.raster import encode
        >>> drawn = encode(np.array([[0, 2, 255]], np.uint8))
        >>> records = Records(pa.table({"image": [drawn], "mask": [drawn]}))
        >>> target = Mask(("mask",), "image", void=("255",), names={"2": "road"})
        >>> target = target.learn(target.cells(records))
        >>> target.classes, np.asarray(target.answers(records)[0][0]).tolist()
        ((0, 'road'), [[0, 1, -1]])
    """

    columns: tuple[str, ...]
    image: str
    classes: tuple[Any, ...] = ()
    void: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    asked: bool = False
    lying: bool | None = None
    several = True
    lack = "the mask is missing"

    @classmethod
    def of(cls, records: Records, column: str, image: str, void: Sequence[str] | None = None) -> Mask:
        """The field of a column, with the names of a file beside its masks.

        Args:
            records: rows whose masks tell what is void, where the user does not, until `settled` asks training rows.
            column: the column of masks.
            image: the column of pictures.
            void: numbers, colours or names that are no class; `no` alone says that there is none.

        Raises:
            SettingError: what the user calls void is no number, colour or name.
        """
        plain = cls((column,), image)
        plain = replace(plain, lying=convention(plain._pairs(records).values())[0])
        masks = [mask for mask in plain._masks(records)[0] if mask is not None]
        pixels = _pixels(masks)
        paths = [mask.path for mask in masks if mask.path is not None]
        found = names_near(paths[0]) if paths else ClassNames()
        told = found.of(coloured=any(map(is_colour, pixels)))
        names = {code: name for code, name in told.items() if name != code}
        if names:
            log.info("class names from %s", found.file)
        if void is not None:
            return replace(plain, names=names, void=asked_void(void, names), asked=True)
        return replace(plain, names=names, void=seen_void(pixels, names))

    def settled(self, train: Records) -> Mask:
        """The field with what the masks of training rows alone tell to be void; says what is, and how much of them."""
        pixels = _pixels([mask for mask in self._masks(train)[0] if mask is not None])
        void = self.void if self.asked else seen_void(pixels, self.names)
        share = sum(count for code, count in pixels.items() if written(code) in void) / max(pixels.total(), 1)
        if share:
            named = ", ".join(f"{code} ({self.names[code]})" if code in self.names else code for code in void)
            log.info("taken for void: %s, %.2g %% of the pixels of the training masks", named, 100 * share)
        return replace(self, void=void)

    def learn(self, cells: Sequence[Any]) -> Mask:
        """The field with the classes that occur in its cells.

        Raises:
            DataError: there is one alone, or they are more than an answer can number.
        """
        found = {name for cell in cells if cell is not None for name in cell}
        if len(found) == 1:
            raise DataError(
                "The masks have one class only", where=self.columns[0], got=list(found),
                accepted="two classes or more, of which one may be the background",
                fix="Give masks that tell them apart, or say with --mask-void what is no class.",
            )  # fmt: skip
        if len(found) > _MOST_CLASSES:
            raise DataError(
                "The masks have too many classes", where=self.columns[0], got=len(found),
                accepted=f"up to {_MOST_CLASSES}",
                fix="Give masks with one number or colour a class; photographs, or masks with soft edges, are none.",
            )  # fmt: skip
        return replace(self, classes=tuple(sorted(found, key=self.code)))

    def name(self, code: int) -> Any:
        """What the class of a code is called."""
        text = written(code)
        return self.names.get(text, text if is_colour(code) else code)

    def code(self, name: Any) -> int:
        """The first code of a class, by which a mask may say it."""
        return min(self._codes({name}), default=0)

    def cells(self, records: Records) -> list[Any]:
        """The classes in the mask of each row, in the order of their codes; None where there is no mask to be used."""
        masks, _, reasons = self._usable(records)
        return [None if row in reasons or mask is None else self._names_in(mask) for row, mask in enumerate(masks)]

    def encode(self, cells: Sequence[Any]) -> tuple[list[list[int]], dict[int, str]]:
        """The positions of the classes of each row; one that nobody has learnt is void, and no reason to refuse it."""
        position = {name: place for place, name in enumerate(self.classes)}
        return [[position[name] for name in cell or () if name in position] for cell in cells], {}

    def answers(self, records: Records) -> tuple[list[ClassMap | None], dict[int, str]]:
        """The class map of each row, decoded when it is asked for, and the reason for each None."""
        masks, turns, reasons = self._usable(records)
        maps: list[ClassMap | None] = [None] * len(masks)
        for row, mask in enumerate(masks):
            if mask is not None and row not in reasons:
                found = ClassMap(mask, self._positions, turns.get(row, 1))
                if self.classes and not {code for code, _ in self._positions} & set(mask_glance(mask).pixels):
                    reasons[row] = "the mask has no class of the training rows"
                else:
                    maps[row] = found
        return maps, reasons

    def lacking(self, records: Records) -> dict[int, str]:
        """Why rows have no mask that can be used, by row."""
        return self._usable(records)[2]

    def cautions(self, records: Records) -> list[str]:
        """What was assumed of masks and cannot be known, a sentence each."""
        open_turns = convention(self._pairs(records).values())[1] if self.lying is None else 0
        glances = [mask_glance(mask) for mask in self._masks(records)[0] if mask is not None]
        said = [mixed(glances), crowded(_pixels_of(glances), self.names)]
        return [*([not_told(open_turns, "masks")] if open_turns else []), *filter(None, said)]

    def unseen(self, mask: Picture) -> dict[Any, int]:
        """The pixels of a mask whose class no training row has, by class: they count as void."""
        found: Counter[Any] = Counter()
        for code, pixels in mask_glance(mask).pixels.items():
            if written(code) not in self.void and self.name(code) not in self.classes:
                found[self.name(code)] += pixels
        return dict(found)

    def named(self, records: Records) -> Records:
        """The records as they are: masks are never a plain list."""
        return records

    @cached_property
    def _positions(self) -> tuple[tuple[int, int], ...]:
        """Every code of a class with the position of that class."""
        position = {name: place for place, name in enumerate(self.classes)}
        return tuple(sorted((code, position[self.name(code)]) for code in self._codes(set(self.classes))))

    def _codes(self, names: set[Any]) -> list[int]:
        """Every code that one of these names has."""
        named = [code for text, name in self.names.items() if name in names and (code := code_of(text)) is not None]
        # A class may be called by what is the number of another, so a number counts only where it is the whole name.
        plain = [code for name in names if (code := code_of(str(name))) is not None and self.name(code) == name]
        plain = [code for code in plain if written(code) not in self.names]
        return [code for code in [*named, *plain] if written(code) not in self.void]

    def _names_in(self, mask: Picture) -> list[Any]:
        codes = sorted(code for code in mask_glance(mask).pixels if written(code) not in self.void)
        return list(dict.fromkeys(map(self.name, codes)))

    def _masks(self, records: Records) -> tuple[list[Picture | None], dict[int, str]]:
        masks: list[Picture | None] = [None] * len(records)
        reasons: dict[int, str] = {}
        for row, cell in enumerate(records.column(self.columns[0])):
            if row not in records.problems:
                found = picture_of(self.columns[0], cell, records.file(row), "mask")
                if isinstance(found, str):
                    reasons[row] = found
                else:
                    masks[row] = found
        return masks, reasons

    def _usable(self, records: Records) -> tuple[list[Picture | None], dict[int, int], dict[int, str]]:
        """The mask of each row, the orientation by which one is to be turned, and why one cannot be used."""
        masks, reasons = self._masks(records)
        turns, pairs = {}, self._pairs(records)
        for row, mask in enumerate(masks):
            if mask is None:
                continue
            seen = mask_glance(mask)
            # What is wrong with a picture alone, its own field says.
            turn = turn_of(pairs[row], lying=bool(self.lying)) if row in pairs else 1
            turns[row] = turn or 1
            if seen.reason:
                reasons[row] = seen.reason
            elif turn is None:
                reasons[row] = _misfit(*pairs[row])
            elif all(written(code) in self.void for code in seen.pixels):
                reasons[row] = "the mask has no class, only void"
        return masks, turns, reasons

    def _pairs(self, records: Records) -> dict[int, Pair]:
        """What a look at mask and picture of each row tells, where both can be read."""
        masks, _ = self._masks(records)
        cells = records.column(self.image) if self.image in records.columns else [None] * len(records)
        there: dict[int, tuple[Picture, Picture]] = {}
        for row, mask in enumerate(masks):
            picture = None if mask is None else picture_of(self.image, cells[row], records.file(row))
            if mask is not None and isinstance(picture, Picture):
                there[row] = mask, picture
        looks = zip(there.items(), look([picture for _, picture in there.values()]), strict=True)
        pairs = {row: (mask_glance(mask), seen) for (row, (mask, _)), seen in looks}
        return {row: pair for row, pair in pairs.items() if not (pair[0].reason or pair[1].reason)}


def _misfit(mask: MaskGlance, seen: Glance) -> str:
    """That a mask is not of its picture."""
    return (
        f"the mask has {mask.width} x {mask.height} pixels, and its picture {seen.width} x {seen.height} "
        "as a person sees it"
    )


def _pixels(masks: Sequence[Picture]) -> Counter[int]:
    """How many pixels of all masks have each code."""
    return _pixels_of(map(mask_glance, masks))


def _pixels_of(glances: Iterable[MaskGlance]) -> Counter[int]:
    found: Counter[int] = Counter()
    for glance in glances:
        found.update(glance.pixels)
    return found
