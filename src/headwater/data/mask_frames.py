"""How masks lie over their pictures: drawn on what a person sees, or on the file before its EXIF turns it."""

from __future__ import annotations

from collections.abc import Iterable

from headwater.data.masks import MaskGlance
from headwater.data.pictures import Glance
from headwater.data.turns import ON_ITS_SIDE, agreed

Pair = tuple[MaskGlance, Glance]
"""What a look at a mask tells, and what one at its picture does."""


def turn_of(pair: Pair, *, lying: bool) -> int | None:
    """The orientation of EXIF by which a mask is still to be turned, 1 for none; None where it is of no such picture.

    Args:
        pair: the mask and its picture.
        lying: whether masks were drawn on files as they lie, where sizes do not tell.

    Example:
        >>> mask = MaskGlance(4, 2)
        >>> [turn_of((mask, seen), lying=False) for seen in (Glance(2, 4, turn=6), Glance(2, 4), Glance(4, 2, turn=3))]
        [6, None, 1]
    """
    mask, seen = pair
    told = _drawn_lying(pair)
    if told is None and (mask.width, mask.height) != (seen.width, seen.height):
        return None
    return seen.turn if mask.turn == 1 and (lying if told is None else told) else 1


def convention(pairs: Iterable[Pair]) -> tuple[bool | None, int]:
    """Whether masks were drawn on files as they lie, and of how many pictures that EXIF turns sizes do not tell it.

    Pictures that EXIF lays on their side tell it by the size of their masks. None where none tells, or where they tell
    different things. A mask that has an orientation of its own was turned by it.
    """
    return agreed(_drawn_lying((mask, seen)) for mask, seen in pairs if seen.turn > 1 and mask.turn == 1)


def _drawn_lying(pair: Pair) -> bool | None:
    mask, seen = pair
    if mask.turn > 1 or seen.turn < ON_ITS_SIDE:
        return None
    size = mask.width, mask.height
    fits, lies = size == (seen.width, seen.height), size == (seen.height, seen.width)
    return None if fits == lies else lies
