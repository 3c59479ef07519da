"""Cells to boxes: every shape that data sets have them in, and what becomes of those that cannot be used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from PIL.Image import Exif
from tests.data.drawing import clouds, saved

from headwater.data.box_cells import THINGS
from headwater.data.box_field import Located, field_of_boxes
from headwater.data.fields import Image, flaws_of, from_json, lacking, to_json
from headwater.data.preparing import prepare
from headwater.data.quarantine import Quarantine
from headwater.data.reading import read
from headwater.data.records import Flaws, Problem, Records
from headwater.errors import DataError, NotFoundError
from headwater.settings import DataSettings, Settings

PNG = saved(clouds(0, 48, 32))
CAT = {"label": "cat", "left": 1, "top": 2, "right": 5, "bottom": 8}
FIELD = Located(("objects",), ("cat", "dog"))


def records(cells: list[Any], **more: list[Any]) -> Records:
    return Records(pa.table({"image": pa.array([PNG] * len(cells), pa.large_binary()), "objects": cells, **more}))


@pytest.mark.parametrize("bbox", [[0.1, 0.2, 0.5, 0.5], [0, 0, 1, 1], [0.5, 0.5, 0.75, 0.75]])
def test_shares_are_no_pixels(bbox: list[float]) -> None:
    there = records([[{"label": "cat", "bbox": bbox}], [{"label": "cat", "bbox": [0, 0, 2, 1]}]])
    assert FIELD.cells(there) == [[], ["cat"]]
    [problem] = FIELD.flaws(there).problems
    assert "box 1 (cat) lies within the first pixel, as shares of width and height would" in problem.reason


@pytest.mark.parametrize(
    "cell",
    [
        [CAT],
        json.dumps([CAT]),
        [{"category": "cat", "bbox": [1, 2, 4, 6]}],
        {"bbox": [[1, 2, 4, 6]], "category": ["cat"], "area": [24]},
        json.dumps({"bbox": [[1, 2, 4, 6]], "category": ["cat"], "id": [7]}),
        [{"name": "cat", "xmin": 1, "ymin": 2, "xmax": 5, "ymax": 8}],
        [{"class": "cat", "x1": "1", "y1": "2", "x2": "5", "y2": "8"}],
        [{"label": " cat ", "box": {"xmin": 1, "ymin": 2, "xmax": 5, "ymax": 8}, "score": 0.9}],
        [{"label": "cat", "x": 1, "y": 2, "w": 4, "h": 6}],
        {"label": "cat", "bbox": [1, 2, 4, 6]},
        json.dumps({"label": "cat", "bbox": [1, 2, 4, 6]}),
    ],
)
def test_shapes_of_cells(cell: Any) -> None:
    found, reasons = FIELD.answers(records([cell, cell]))
    assert reasons == {}
    assert [boxes.places.tolist() for boxes in found if boxes] == [[[1, 2, 5, 8]]] * 2
    assert FIELD.cells(records([cell])) == [["cat"]]


def test_a_column_that_an_earlier_version_kept_has_no_crowds() -> None:
    former = pa.list_(pa.struct([field for field in THINGS.value_type if field.name != "crowd"]))
    cells = [[{**CAT, "difficult": True}, {**CAT, "flaw": "is odd"}]]
    table = records([None]).table.set_column(1, "objects", pa.chunked_array([pa.array(cells, former)]))
    [boxes], _ = FIELD.answers(Records(table))
    assert boxes is not None
    assert (boxes.pardoned.tolist(), boxes.crowd) == ([True], None)
    assert [problem.reason for problem in FIELD.flaws(Records(table)).problems] == ["box 2 (cat) is odd"]


@pytest.mark.parametrize("key", ["iscrowd", "is_crowd", "crowd"])
def test_a_crowd_is_not_what_is_difficult(key: str) -> None:
    [boxes], _ = FIELD.answers(records([[{**CAT, key: 1}, {**CAT, "difficult": 1}, CAT]]))
    assert boxes is not None
    assert boxes.crowd is not None
    assert boxes.difficult is not None
    assert boxes.crowd.tolist() == [True, False, False]
    assert boxes.difficult.tolist() == [False, True, False]
    assert boxes.take(np.array([1])).crowd.tolist() == [False]


def test_a_column_of_the_readers_is_the_same_as_one_of_a_table() -> None:
    cells = [
        [{**CAT, "difficult": True}, {**CAT, "label": None, "flaw": "is odd"}],
        [],
        None,
        [CAT, {**CAT, "right": None}, {**CAT, "crowd": True}],
    ]
    plain = records([None if cell is None else json.dumps(cell) for cell in cells])
    typed = Records(
        plain.table.set_column(
            1, "objects", pa.chunked_array([pa.array(cells[:1], THINGS), pa.array(cells[1:], THINGS)])
        )
    )
    assert FIELD.cells(typed) == FIELD.cells(plain) == [["cat"], [], None, ["cat", "cat"]]
    one, other = (FIELD.answers(given)[0] for given in (typed, plain))
    for a, b in zip(one, other, strict=True):
        assert (a is None) == (b is None)
        if a and b:
            assert a.places.tolist() == b.places.tolist()
            assert (a.difficult is None) == (b.difficult is None)
            assert (a.crowd is None) == (b.crowd is None)
    assert one[0] is not None
    assert one[0].difficult is not None
    assert one[0].difficult.tolist() == [True]
    assert one[0].crowd is None
    assert one[3] is not None
    assert one[3].pardoned.tolist() == [False, True]
    assert [problem.reason for problem in FIELD.flaws(typed).problems] == [
        "box 2 is odd", "box 2 (cat) has no place: four numbers are needed"
    ]  # fmt: skip


def test_boxes_that_cannot_be_used_are_told_and_their_rows_stay() -> None:
    bad = [
        {**CAT, "right": 1}, {**CAT, "left": 9}, {**CAT, "left": 48, "right": 60}, {**CAT, "bottom": float("nan")},
        {"label": "cat"}, {**CAT, "label": None}, "cat", {**CAT, "top": -8, "bottom": 0},
        {"label": ["cat"], "bbox": [1] * 3},
    ]  # fmt: skip
    given = Records(
        records([json.dumps([*bad, CAT]), json.dumps([CAT])]).table, files=("rows.jsonl",), lines=np.array([3, 4])
    )
    flaws = FIELD.flaws(given)
    assert [str(problem).removeprefix("rows.jsonl:3: box ") for problem in flaws.problems] == [
        "1 (cat) has no area: 1, 2 to 1, 8",
        "2 (cat) has its edges in the wrong order: 9, 2 to 5, 8",
        "3 (cat) is outside of the picture: 48, 2 to 60, 8",
        "4 (cat) has no place: four numbers are needed",
        "5 (cat) has no place: four numbers are needed",
        "6 has no label",
        "7 has no place: four numbers are needed",
        "8 (cat) is outside of the picture: 1, -8 to 5, 0",
        "9 has no place: four numbers are needed",
    ]
    assert (flaws.parts, flaws.clipped) == (11, 0)
    assert FIELD.cells(given) == [["cat"], ["cat"]]
    assert [len(boxes) for boxes in FIELD.answers(given)[0] if boxes is not None] == [1, 1]


def test_boxes_end_at_the_edge_of_their_picture() -> None:
    given = records([json.dumps([{**CAT, "left": -3, "bottom": 40}, {**CAT, "right": 48.004}])])
    [found] = FIELD.answers(given)[0]
    assert found is not None
    assert np.allclose(found.places, [[0, 2, 5, 32], [1, 2, 48, 8]])
    assert FIELD.flaws(given) == Flaws([], 2, 1)


def test_rows_without_boxes_and_with_none() -> None:
    cells = [
        None,
        " ",
        "[",
        "3",
        "{}",
        "[]",
        json.dumps({"bbox": [[1, 2, 3, 4]], "category": []}),
        json.dumps([{**CAT, "label": "cow"}]),
    ]
    given = records(cells)
    lack = "the boxes are missing (write [] where there is nothing in the picture)"
    assert lacking(FIELD, given) == {
        0: lack, 1: lack, 2: "the boxes in column objects are no JSON that can be read",
        3: "column objects holds int, not a list of boxes",
        6: "the lists in column objects are of unequal length: bbox 1, category 0",
    }  # fmt: skip
    found, reasons = FIELD.answers(given)
    assert reasons == {**lacking(FIELD, given), 7: "the label 'cow' was not in training"}
    assert [None if boxes is None else len(boxes) for boxes in found] == [None, None, None, None, 0, 0, None, None]
    counts, unseen = FIELD.encode(FIELD.cells(given))
    assert counts.sum() == 0
    assert set(unseen) == {0, 1, 2, 3, 6, 7}
    torn = given.with_problems({5: "cut off"})
    assert FIELD.answers(torn)[0][5] is None
    assert 5 not in FIELD.answers(torn)[1]
    with pytest.raises(NotFoundError, match="There is no column of this name"):
        Located(("boxes",)).cells(given)


def test_classes_are_learnt_and_labels_told() -> None:
    given = records([json.dumps([CAT, {**CAT, "label": 2.0}]), json.dumps([CAT, CAT])])
    field = FIELD.learn(FIELD.cells(given))
    assert field.classes == (2, "cat")
    assert field.encode(field.cells(given))[0].tolist() == [[1, 1], [0, 2]]
    assert from_json(json.loads(json.dumps(to_json(field)))) == field
    [found, _] = field.answers(given)[0]
    assert found is not None
    assert field.listed(found)[0] == {"label": "cat", "left": 1.0, "top": 2.0, "right": 5.0, "bottom": 8.0}


def test_four_bare_numbers_are_corners_where_they_must_be() -> None:
    cells = [json.dumps([{"label": "cat", "bbox": [30, 20, 40, 30]}, {"label": "cat", "bbox": [2, 2, 6, 8]}])] * 4
    field = field_of_boxes(records(cells), "objects", "image")
    assert field.corners
    [found, *_] = field.learn(field.cells(records(cells))).answers(records(cells))[0]
    assert found is not None
    assert found.places.tolist() == [[30, 20, 40, 30], [2, 2, 6, 8]]
    sizes = [json.dumps([{"label": "cat", "bbox": [30, 20, 10, 10]}])] * 4
    assert not field_of_boxes(records(sizes), "objects", "image").corners
    assert not field_of_boxes(records([json.dumps([CAT])]), "objects", "image").corners


def test_pictures_of_another_size_than_their_boxes(tmp_path: Path) -> None:
    lying = clouds(1, 48, 32)
    exif = lying.getexif()
    exif[0x0112] = 6
    (tmp_path / "a.jpg").write_bytes(saved(lying, "JPEG", exif=exif))
    cell = json.dumps([CAT])
    told = {"width": [48.0, 48, 96, None], "height": [32.0, 33, 64, 5]}
    given = Records(pa.table({"image": [str(tmp_path / "a.jpg"), *["b.png"] * 3], "objects": [cell] * 4, **told}))
    (tmp_path / "b.png").write_bytes(PNG)
    given = Records(given.table, files=(str(tmp_path / "rows.jsonl"),))
    found, reasons = FIELD.answers(given)
    assert reasons == {2: "the boxes were drawn on a picture of 96 x 64 pixels, and this one has 48 x 32"}
    assert found[0] is not None
    assert found[0].places.tolist() == [[24, 1, 30, 5]]
    assert [boxes.places.tolist() for boxes in found[1:] if boxes] == [[[1, 2, 5, 8]]] * 2


def turned_rows(folder: Path, *pictures: tuple[int, tuple[float, float] | None]) -> Records:
    """A row for each orientation of EXIF, with the size that the data tells; files are 48 pixels wide and 32 high."""
    paths = []
    for row, (turn, _) in enumerate(pictures):
        image = clouds(row, 48, 32)
        exif = image.getexif()
        exif[0x0112] = turn
        paths.append(str(folder / f"{row}.jpg"))
        Path(paths[-1]).write_bytes(saved(image, "JPEG", exif=exif))
    sizes = [told or (None, None) for _, told in pictures]
    told = {
        name: pa.array([one[place] for one in sizes], pa.float64()) for place, name in enumerate(("width", "height"))
    }
    return Records(pa.table({"image": paths, "objects": [json.dumps([CAT])] * len(paths), **told}))


def places_in(given: Records) -> list[list[float]]:
    field = field_of_boxes(given, "objects", "image")
    field = from_json(to_json(field.learn(field.cells(given))))
    return [boxes.places[0].tolist() for boxes in field.answers(given)[0] if boxes]


SEEN, MIRRORED, HEADLONG, FLIPPED = [1, 2, 5, 8], [43, 2, 47, 8], [43, 24, 47, 30], [1, 24, 5, 30]


def test_boxes_of_mirrored_pictures_turn_where_those_of_lying_ones_show_that_files_were_drawn_on(
    tmp_path: Path,
) -> None:
    given = turned_rows(tmp_path, (6, (48, 32)), (1, (48, 32)), (2, (48, 32)), (3, (48, 32)), (4, None))
    assert places_in(given) == [[24, 1, 30, 5], SEEN, MIRRORED, HEADLONG, FLIPPED]
    assert field_of_boxes(given, "objects", "image").cautions(given) == []


def test_boxes_of_mirrored_pictures_stay_where_those_of_lying_ones_do(tmp_path: Path) -> None:
    given = turned_rows(tmp_path, (6, (32, 48)), (2, (48, 32)), (3, (48, 32)))
    assert places_in(given) == [SEEN] * 3
    field = field_of_boxes(given, "objects", "image")
    assert (field.lying, field.cautions(given)) == (False, [])


@pytest.mark.parametrize("others", [[], [(6, (48, 32)), (6, (32, 48))], [(6, None)]])
def test_what_nothing_tells_of_mirrored_pictures_is_told(tmp_path: Path, others: list[Any]) -> None:
    given = turned_rows(tmp_path, (2, (48, 32)), (1, (48, 32)), *others)
    assert places_in(given)[:2] == [SEEN] * 2
    field = field_of_boxes(given, "objects", "image")
    assert field.lying is None
    number = "2 images" if others == [(6, None)] else "1 image"
    assert field.cautions(given) == [
        f"EXIF turns {number} in a way that no size tells, such as upside down, and no other image settles where boxes "
        "were drawn: they are taken as drawn on what a person sees."
    ]


@pytest.mark.parametrize("turn", [2, 3, 4, 5, 6, 7, 8])
def test_boxes_turn_as_pillow_turns_pictures(turn: int) -> None:
    from PIL import Image as Pillow
    from PIL import ImageOps

    from headwater.data.box_frames import Frame

    drawn = np.zeros((8, 4), np.uint8)
    drawn[1:3, 2:4] = 255
    image = Pillow.fromarray(drawn)
    exif = image.getexif()
    exif[0x0112] = turn
    image.info["exif"] = exif.tobytes()
    seen = np.asarray(ImageOps.exif_transpose(image))
    rows, columns = np.nonzero(seen)
    left, top, right, bottom = (
        Frame(*((8, 4) if turn > 4 else (4, 8)), turn).turned(np.array([2.0, 1, 4, 3])).astype(int).tolist()
    )
    assert (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) == (left, top, right, bottom)


def test_a_table_of_the_hub_with_numbered_classes() -> None:
    datasets = pytest.importorskip("datasets")
    kinds = {
        "bbox": datasets.List(datasets.Value("float32"), length=4),
        "category": datasets.ClassLabel(names=["cat", "dog"]),
    }
    lists, objects = {"bbox": [[1, 2, 4, 6]], "category": [1]}, [{"bbox": [1, 2, 4, 6], "category": 1}]
    for feature, cell in ((datasets.Sequence(kinds), lists), (datasets.List(kinds), objects)):
        table = datasets.Dataset.from_dict({"objects": [cell]}, features=datasets.Features({"objects": feature}))
        assert FIELD.cells(read(table, DataSettings())) == [["dog"]]


def test_boxes_set_aside_are_in_the_findings_of_a_run(tmp_path: Path) -> None:
    for number in range(30):
        (tmp_path / f"{number}.png").write_bytes(saved(clouds(number, 48, 32)))
    exif = Exif()
    exif[0x0112] = 3
    (tmp_path / "9.png").write_bytes(saved(clouds(9, 48, 32), exif=exif))
    rows = [{"image": f"{number}.png", "objects": [CAT, {**CAT, "label": "dog", "left": -1}]} for number in range(30)]
    rows[4]["objects"] = [CAT, {**CAT, "right": 1}]
    rows[7]["objects"] = [CAT, {**CAT, "label": "dog", "right": 60}, "?"]
    (tmp_path / "rows.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    found = prepare(str(tmp_path / "rows.jsonl"), Settings(), lambda _: (Image(("image",)), FIELD), want_test=True)
    assert [str(problem).removeprefix(str(tmp_path)) for problem in found.flaws] == [
        "/rows.jsonl:5: box 2 (cat) of 4.png has no area: 1, 2 to 1, 8",
        "/rows.jsonl:8: box 3 of 7.png has no place: four numbers are needed",
    ]
    assert found.set_aside == found.flaws
    told = found.findings["quarantine"]
    assert (told["count"], told["boxes"]["count"], told["boxes"]["boxes"], told["boxes"]["clipped"]) == (0, 2, 61, 29)
    assert "boxes    59 usable, 2 set aside, the first: " in str(found)
    assert "29 cut off at the edge of their image" in str(found)
    assert "warning  EXIF turns 1 image in a way that no size tells" in str(found)
    assert found.findings["audit"]["classes"] == {"cat": 30, "dog": 29}
    with pytest.raises(
        DataError, match=r"2 of 61 boxes \(3\.3 %\) cannot be used, more than 1\.0 %: .*Mend these boxes"
    ):
        prepare(
            str(tmp_path / "rows.jsonl"),
            Settings(quarantine_share=0.01),
            lambda _: (Image(("image",)), FIELD),
            want_test=True,
        )


def test_labels_have_no_parts_that_could_be_set_aside() -> None:
    from headwater.data.fields import Category

    given = Records(pa.table({"label": ["a", None]}))
    assert flaws_of(Category(("label",)), given) == Flaws()
    assert "boxes" not in Quarantine().summary()
    assert Problem("odd").place == ""
