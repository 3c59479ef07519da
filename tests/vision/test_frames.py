import numpy as np
import pytest

from headwater.data.pictures import Picture, encode, framed
from headwater.errors import DataError
from headwater.vision.frames import Frame
from headwater.vision.pixels import Pixels


def pictures(*sizes):
    return [Picture(content=encode(np.full((high, wide, 3), 200, np.uint8))) for wide, high in sizes]


@pytest.mark.parametrize(
    ("sizes", "wanted", "expected"),
    [
        ([(640, 480)] * 3, None, (256, 320)),
        ([(640, 480)] * 3, 640, (480, 640)),
        ([(480, 640)] * 3, None, (320, 256)),
        ([(640, 480), (480, 640)], None, (320, 320)),
        ([(40, 30)], None, (64, 64)),
        ([(100, 100)], None, (128, 128)),
        ([(640, 480)] * 30 + [(100, 600)], None, (256, 320)),
        ([], None, (64, 64)),
        ([], 128, (128, 128)),
    ],
)
def test_the_frame_suits_the_pictures(sizes, wanted, expected):
    frame = Frame.of(pictures(*sizes), wanted, 320)
    assert (frame.height, frame.width) == expected
    assert frame.patches == expected[0] * expected[1] / 256


def test_a_picture_keeps_its_proportions():
    (picture,) = pictures((60, 20))
    found = framed(picture, 64, 96)
    assert found.shape == (64, 96, 3)
    assert (found[:32] == 200).all()
    assert (found[32:] == 114).all()
    assert Frame(64, 96).scale(60, 20).tolist() == [1.6, 1.6]


def test_a_thin_picture_keeps_a_pixel():
    assert (framed(pictures((300, 1))[0], 64, 64)[0] == 200).all()


def test_whole_pictures_are_kept_on_disk_apart_from_squares(tmp_path, monkeypatch):
    monkeypatch.setattr("headwater.vision.kept.IN_MEMORY", 0)
    given = pictures((64, 32), (32, 64))
    kept = Pixels.whole(given, 64, 64, tmp_path)
    np.testing.assert_array_equal(kept.array, [framed(picture, 64, 64) for picture in given])
    square = Pixels.of(given, 64, grey=False, folder=tmp_path)
    assert not np.array_equal(square.array, kept.array)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_picture_that_is_gone_is_told(tmp_path):
    file = tmp_path / "gone.png"
    file.write_bytes(encode(np.zeros((8, 8), np.uint8)))
    picture = Picture(str(file))
    file.unlink()
    with pytest.raises(DataError, match="A picture that was there before cannot be read any more"):
        framed(picture, 64, 64)
