"""What makes one doubt that the masks of a set say their classes in one way."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from headwater.data.masks import MaskGlance, is_colour, written

_BLACK_AND_WHITE: Final = frozenset((0, 255))
_MANY: Final = 32
_RARE_SHARE: Final = 0.1


def mixed(glances: Collection[MaskGlance]) -> str | None:
    """That some masks are in numbers and others in colours: one class is then taken for two.

    A grey among colours is a colour like the others, so that only numbers which no mask in colours has are told.

    Args:
        glances: what a look at each mask told.
    """
    coloured = [glance for glance in glances if any(map(is_colour, glance.pixels))]
    known = _BLACK_AND_WHITE.union(*(glance.pixels for glance in coloured))
    numbered = [glance for glance in glances if not known.issuperset(glance.pixels)]
    numbered = [glance for glance in numbered if not any(map(is_colour, glance.pixels))]
    if not coloured or not numbered:
        return None
    return (
        f"Masks say their classes in colours ({len(coloured)} of them) and in numbers ({len(numbered)}), and no number "
        "is taken for a colour: write all masks in one way, or a class is taken for two."
    )


def crowded(pixels: Mapping[int, int], names: Mapping[str, str]) -> str | None:
    """That most of many classes without a name have few pixels, as soft edges or a damaged mask make them.

    Args:
        pixels: how many pixels of all masks have each code.
        names: for codes, as they are written, their names.

    Example:
        >>> print(crowded({0: 900, 255: 100, **dict.fromkeys(range(1, 40), 1)}, {})[:56])
        The masks have 41 numbers or colours, and the rarer half
        >>> crowded({0: 900, 1: 60, 2: 40}, {}) is None
        True
    """
    counts = sorted(count for code, count in pixels.items() if written(code) not in names)
    half = sum(counts[: len(counts) // 2])
    if len(counts) <= _MANY or half > _RARE_SHARE * sum(counts):
        return None
    return (
        f"The masks have {len(counts)} numbers or colours, and the rarer half of them {100 * half / sum(counts):.2g} % "
        "of the pixels: where they are not so many classes, a mask has soft edges or is damaged."
    )
