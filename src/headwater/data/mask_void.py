"""Which codes of masks are void, of no class: as the user says, as their names say, or as the pixels tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from headwater.data.class_names import is_void
from headwater.data.masks import code_of, is_colour, written
from headwater.errors import SettingError

NO_VOID: Final = "no"
"""What a user says who wants every number to be a class."""
_USUAL_VOID: Final = 255
_REAL_SHARE: Final = 0.01


def asked_void(words: Sequence[str], names: Mapping[str, str]) -> tuple[str, ...]:
    """The codes, as they are written, that a user calls void.

    Args:
        words: numbers, colours or names; `no` alone says that there is none.
        names: for codes, as they are written, their names.

    Raises:
        SettingError: a word is no number, colour or name.

    Example:
        >>> asked_void(["#E0E0C0", "edge"], {"7": "Edge"}), asked_void(["no"], {})
        (('#e0e0c0', '7'), ())
    """
    called = {name.strip().lower(): text for text, name in names.items()}
    if [word.strip().lower() for word in words] == [NO_VOID]:
        return ()
    found = []
    for word in words:
        code = code_of(word)
        if code is None and word.strip().lower() not in called:
            raise SettingError(
                "What is void is said by a number, a colour or a class name of the masks", where="--mask-void",
                got=word, accepted=["255", "#e0e0c0", NO_VOID, *sorted(set(names.values()))],
            )  # fmt: skip
        found.append(called[word.strip().lower()] if code is None else written(code))
    return tuple(sorted(set(found)))


def seen_void(pixels: Mapping[int, int], names: Mapping[str, str]) -> tuple[str, ...]:
    """The codes, as they are written, that are void where the user does not say.

    Those are void that are called so. And so is 255 without a name, beside numbers that are really used: of black and
    white, white is what the masks are about, however many stray pixels or soft edges there are; of colours, it is one
    like the others.

    Args:
        pixels: how many pixels of all masks have each code.
        names: for codes, as they are written, their names.

    Example:
        >>> seen_void({0: 900, 1: 60, 255: 40}, {}), seen_void({0: 900, 1: 1, 255: 400}, {})
        (('255',), ())
    """
    void = {text for text, name in names.items() if is_void(name)}
    others = {code: count for code, count in pixels.items() if code != _USUAL_VOID}
    usual = _USUAL_VOID in pixels and str(_USUAL_VOID) not in names and not any(map(is_colour, others))
    most = max((count for code, count in others.items() if code), default=0)
    drawn = sum(count for code, count in pixels.items() if code)
    if usual and len(others) > 1 and most >= _REAL_SHARE * drawn:
        void.add(str(_USUAL_VOID))
    return tuple(sorted(void))
