"""What a page is given to show of an input."""

import base64
import io

from PIL import Image
from tests.evaluation.pictures import photograph

from headwater.data.pictures import Picture
from headwater.evaluation.sections import plain
from headwater.evaluation.showing import shown


def test_texts_and_pairs_are_shown_as_they_are_up_to_a_length():
    assert shown("a fine film") == "a fine film"
    assert shown(["left", "right"], between=" / ") == "left / right"
    assert shown("x" * 2000, 1000) == "x" * 999 + "…"


def test_a_picture_is_a_small_one_that_holds_its_bytes(tmp_path):
    (tmp_path / "sea.png").write_bytes(photograph(0).read())
    told = shown(Picture(str(tmp_path / "sea.png")))
    assert told["text"] == str(tmp_path / "sea.png")
    kind, _, content = told["image"].partition(",")
    assert kind == "data:image/jpeg;base64"
    assert Image.open(io.BytesIO(base64.b64decode(content))).size == (96, 72)
    assert plain(told) == told
    assert shown(photograph(0), side=64)["text"] == f"an image of {len(photograph(0).read()):,} bytes"
    assert len(shown(photograph(0), side=64)["image"]) < len(told["image"]) < 8000


def test_a_picture_that_is_gone_is_named():
    assert shown(Picture("gone.png")) == {"image": "", "text": "gone.png"}
