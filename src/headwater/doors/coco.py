"""Answers that are boxes, as a file of COCO that other programs read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from headwater.doors import outputs
from headwater.doors.answer_folder import Answered, answered
from headwater.errors import SettingError

if TYPE_CHECKING:
    import pyarrow as pa

    from headwater.application import Application
    from headwater.data.coco import Numbers

SUFFIX: Final = ".json"
_AT_ONCE: Final = 1024


def write(application: Application, data: Any, path: Path, keep: Sequence[str] = ()) -> str:
    """Writes the boxes of every image as COCO has them, whole or not at all; says what was written.

    Images and classes have the numbers that they have in DATA where that is a file of COCO, so that the answers can be
    held against it; else an image has that of its row, and classes are numbered in their order, from 1.

    Raises:
        SettingError: columns of the data are to be kept, for which there is no place; or the file is the data.
        DataError: no row was answered; the reasons are written all the same.
    """
    from headwater.data.coco import Numbers, numbers_in
    from headwater.data.coco_writing import CocoSheet

    if keep:
        raise SettingError(
            "A file of COCO has no place for columns of the data", where="--keep", got=list(keep),
            fix="Leave --keep out, or write .jsonl instead.",
        )  # fmt: skip
    own = isinstance(data, str | Path) and Path(data).suffix.lower() == SUFFIX and Path(data).is_file()
    known = numbers_in(Path(data)) if own else Numbers()
    target: Any = getattr(application, "target", None)
    told = f"boxes that headwater found: {application.task}, {application.shown_model}"
    form = partial(CocoSheet, categories=known.of_classes(target.classes), told=told)
    return outputs.write(_tables(application, data, known), path, source=data, form=form)


def _tables(application: Any, data: Any, known: Numbers) -> Iterator[pa.Table]:
    import pyarrow as pa

    answers, free = answered(application, data), max(known.images.values(), default=0)
    while some := list(islice(answers, _AT_ONCE)):
        sizes = [_size(one) for one in some]
        names = [known.names.get(one.name) or outputs.below(one.name, str(data)) or f"{one.number:06}" for one in some]
        yield pa.table({
            "row": [one.number for one in some],
            "id": pa.array([known.images.get(one.name, free + one.number) for one in some], pa.int64()),
            "file_name": pa.array(names, pa.string()),
            "width": pa.array([width for width, _ in sizes], pa.int64()),
            "height": pa.array([height for _, height in sizes], pa.int64()),
            "prediction": pa.array([one.answer for one in some], application.answer_type),
            "reason": pa.array([one.reason for one in some], pa.string()),
        })  # fmt: skip


def _size(one: Answered) -> tuple[int | None, int | None]:
    """The width and height of an image as a person sees it, in whose pixels its boxes are."""
    from headwater.data.pictures import glance

    if one.picture is None or one.reason is not None:
        return None, None
    seen = glance(one.picture)
    return seen.width, seen.height
