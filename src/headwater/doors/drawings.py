"""Answers that are boxes, drawn on their images, as a folder of pictures to look at."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headwater.doors import answer_folder
from headwater.doors.answer_folder import Answered, Kind

if TYPE_CHECKING:
    from headwater.application import Application


def write(application: Application, data: Any, folder: Path) -> str:
    """Writes every image as a JPEG with its boxes drawn on it, as `answer_folder.write` says.

    The table beside them has the boxes as well, as JSON, in pixels of the image itself.
    """
    from headwater.vision.detection.drawing import drawn

    target: Any = getattr(application, "target", None)
    classes = list(target.classes)

    def file(one: Answered) -> bytes:
        return drawn(one.picture, one.answer, classes) if one.picture is not None else b""

    boxes = {"boxes": lambda one: json.dumps(one.answer, ensure_ascii=False)}
    kind = Kind("images with boxes", "drawn", ".jpg", file, more=boxes)
    return answer_folder.write(application, data, folder, kind)
