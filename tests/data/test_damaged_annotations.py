"""Whatever happens to annotation files, the other pictures keep their boxes, and no box moves to another picture."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from tests.data.annotating import FORMATS, SCENES, fill
from tests.data.mutations import MUTATIONS
from tests.data.test_annotations import scenes

from headwater.data.box_field import Located
from headwater.data.reading import read
from headwater.data.records import Records
from headwater.errors import HeadwaterError
from headwater.settings import DataSettings

KINDS = [kind for kind in MUTATIONS if not kind.startswith("huge")]
FIELD = Located(("objects",), ("cat", "dog"))
WHOLE = {name: sorted(boxes) for name, boxes in SCENES.items()}


def _ragged(content: bytes, chance: random.Random) -> bytes:
    """Some words are gone, and some stand twice."""
    words = content.split(b" ")
    at = chance.randrange(len(words))
    return b" ".join(chance.choice([words[:at] + words[at + 1 :], words[: at + 1] + words[at:]]))


def _swapped(content: bytes, chance: random.Random) -> bytes:
    """A digit is another, or no digit at all."""
    places = [place for place, byte in enumerate(content) if 0x30 <= byte <= 0x39]
    at = chance.choice(places) if places else 0
    return (
        content[:at] + chance.choice([b"-", b"e", b"NaN", b"9999999999", b"\xc2\xb2", b"<", b"{"]) + content[at + 1 :]
    )


DAMAGES: dict[str, Callable[[bytes, random.Random], bytes]] = {
    **{kind: MUTATIONS[kind] for kind in KINDS}, "ragged words": _ragged, "swapped": _swapped
}  # fmt: skip


@pytest.fixture(scope="module", params=FORMATS)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    return request.param, FORMATS[request.param](tmp_path_factory.mktemp("annotated") / "pets")


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(kind=some.sampled_from(sorted(DAMAGES)), seed=some.integers(0, 2**20))
def test_damage_is_told_and_stays_where_it_is(folder: tuple[str, Path], kind: str, seed: int) -> None:
    form, place = folder
    files = {"COCO": "annotations/instances.json", "Pascal VOC": "Annotations/a.xml", "YOLO": "labels/a.txt"}
    file = place / files[form]
    before = file.read_bytes()
    fill(place, {files[form]: DAMAGES[kind](before, random.Random(seed))})
    try:
        records = _read(place, refused=form == "COCO")
    finally:
        file.write_bytes(before)
    if records is None or "objects" not in records.columns:
        return  # one file for all of them, of which nothing shows any more what it was
    found = scenes(records)
    assert all(str(file) in str(problem) for problem in (*FIELD.flaws(records).problems, *records.problems.values()))
    if form == "COCO":
        assert set(found) <= {*SCENES, "?"}
    else:
        assert len(records) == len(SCENES)
        assert {name: found[name] for name in "bcd"} == {name: WHOLE[name] for name in "bcd"}


def _read(place: Path, *, refused: bool) -> Records | None:
    """The records of a folder; None where it is refused with a sentence, and may be."""
    try:
        return read(place, DataSettings())
    except HeadwaterError:
        if not refused:
            raise
        return None
