"""Answers that are masks, as a folder of pictures that other programs read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from headwater.doors import answer_folder
from headwater.doors.answer_folder import Kind

if TYPE_CHECKING:
    from headwater.application import Application

NAMES: Final = "classes.txt"


def names_of(application: Application) -> dict[int, Any]:
    """What the numbers of the pixels of masks stand for; nothing of an application whose answers are none."""
    from headwater.data.mask_field import Mask
    from headwater.data.mask_writing import numbering

    target: Any = getattr(application, "target", None)
    if not isinstance(target, Mask):
        return {}
    found = numbering(target)
    return dict(zip(found.numbers.tolist(), found.classes, strict=True))


def write(application: Application, data: Any, folder: Path) -> str:
    """Writes the mask of every image as an indexed PNG, as `answer_folder.write` says.

    `classes.txt` beside them says which number is which class, so that the folder can be read back as masks.
    """
    from headwater.data.mask_writing import numbering

    target: Any = getattr(application, "target", None)
    found = numbering(target)
    pairs = zip(found.numbers.tolist(), found.classes, strict=True)
    names = "".join(f"{number} {name}\n" for number, name in pairs)
    return answer_folder.write(
        application, data, folder, Kind("masks", "mask", ".png", lambda one: one.answer, {NAMES: names})
    )
