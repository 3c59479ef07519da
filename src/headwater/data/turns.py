"""Pictures that EXIF turns: whether what is drawn on them was drawn on the files as they lie, and what is not known."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from headwater.options import counted

ON_ITS_SIDE: Final = 5
"""The orientation of EXIF from which on width and height change places."""


def agreed(told: Iterable[bool | None]) -> tuple[bool | None, int]:
    """What all turned pictures that tell it say alike, None where they do not, and how many do not tell.

    Example:
        >>> agreed([True, None, True]), agreed([True, False]), agreed([])
        ((True, 1), (None, 0), (None, 0))
    """
    said = list(told)
    known = {lying for lying in said if lying is not None}
    return (known.pop() if len(known) == 1 else None), said.count(None)


def not_told(pictures: int, what: str) -> str:
    """The sentence for pictures of which nothing tells where boxes or masks were drawn."""
    return (
        f"EXIF turns {counted(pictures, 'image')} in a way that no size tells, such as upside down, and no other image "
        f"settles where {what} were drawn: they are taken as drawn on what a person sees."
    )
