import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.vision.shapes import pictures, stripes

from headwater.data.pictures import Picture, encode
from headwater.errors import DataError, ResourceError
from headwater.run import Run
from headwater.settings import Settings
from headwater.training.processes import Processes
from headwater.vision import kept, pixels
from headwater.vision.pixels import Pixels, decoded, is_grey, side_of

MANY, _ = pictures(150, 8)
SCRIPT = str(Path(__file__).with_name("keeping.py"))


@pytest.fixture
def on_disk(monkeypatch):
    monkeypatch.setattr(kept, "IN_MEMORY", 0)
    monkeypatch.setattr(pixels, "_PART", 3 * 8 * 8 * 40)


def blank(width, height, channels=3):
    shape = (height, width) if channels == 1 else (height, width, channels)
    return Picture(content=encode(np.zeros(shape, np.uint8)))


@pytest.mark.parametrize("channels", [1, 3])
def test_many_threads_keep_the_order(channels):
    raw, _ = stripes(150, 8, channels=channels)
    found, _ = pictures(150, 8, channels=channels)
    np.testing.assert_array_equal(decoded(found, 8, grey=channels == 1), raw)


def test_a_file_holds_what_memory_would(tmp_path, on_disk):
    kept = Pixels.of(MANY, 8, grey=False, folder=tmp_path)
    assert isinstance(kept.array, np.memmap)
    np.testing.assert_array_equal(kept.array, decoded(MANY, 8, grey=False))
    taken = kept.take(np.array([7, 0]))
    np.testing.assert_array_equal(taken, kept.array[[7, 0]])
    taken += 1
    assert [file.suffix for file in tmp_path.iterdir()] == [".npy"]


def test_a_resumed_run_decodes_nothing_again(tmp_path, on_disk, monkeypatch):
    first = Pixels.of(MANY, 8, grey=False, folder=tmp_path)
    monkeypatch.setattr(pixels, "decoded", None)
    np.testing.assert_array_equal(Pixels.of(MANY, 8, grey=False, folder=tmp_path).array, first.array)


def test_other_pictures_sizes_and_colours_are_other_files(tmp_path, on_disk):
    for given, side, grey in ((MANY, 8, False), (MANY[1:], 8, False), (MANY, 10, False), (MANY, 8, True)):
        Pixels.of(given, side, grey=grey, folder=tmp_path)
    assert len(list(tmp_path.iterdir())) == 4


def test_a_damaged_file_is_written_again(tmp_path, on_disk):
    Pixels.of(MANY, 8, grey=False, folder=tmp_path)
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    for damaged in (whole[:-100], b""):
        file.write_bytes(damaged)
        np.testing.assert_array_equal(Pixels.of(MANY, 8, grey=False, folder=tmp_path).array[-1], MANY_LAST)
        assert file.read_bytes() == whole


MANY_LAST = decoded(MANY[-1:], 8, grey=False)[0]


def test_few_pixels_and_a_missing_folder_stay_in_memory(tmp_path, on_disk, monkeypatch):
    assert not isinstance(Pixels.of(MANY, 8, grey=False, folder=None).array, np.memmap)
    monkeypatch.setattr(kept, "IN_MEMORY", 1 << 20)
    assert not isinstance(Pixels.of(MANY, 8, grey=False, folder=tmp_path).array, np.memmap)
    assert len(Pixels.of([], 8, grey=True, folder=tmp_path)) == 0


def test_a_full_disk_is_told(tmp_path, on_disk, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    message = r"pixels-.*The pixels of the pictures cannot be written.*No space left.*Make room on the disk"
    with pytest.raises(ResourceError, match=message):
        Pixels.of(MANY, 8, grey=False, folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_picture_that_has_gone_is_told(tmp_path):
    with pytest.raises(DataError, match="cannot be read any more"):
        decoded([*MANY[:70], Picture(str(tmp_path / "gone.png"))], 8, grey=False)


def test_moments_are_those_of_every_channel(on_disk):
    array, _ = stripes(90, 8)
    mean, deviation = Pixels(array).moments()
    np.testing.assert_allclose(mean, (array / 255).mean(axis=(0, 1, 2)), atol=1e-6)
    np.testing.assert_allclose(deviation, (array / 255).std(axis=(0, 1, 2)), atol=1e-6)
    assert Pixels(np.full((2, 4, 4, 1), 9, np.uint8)).moments()[1].tolist() == [pytest.approx(0.02)]


@pytest.mark.parametrize(
    ("size", "most", "side"),
    [((28, 28), 224, 32), ((500, 63), 224, 32), ((64, 80), 224, 64), ((640, 480), 224, 224), ((640, 480), 128, 128)],
)
def test_the_side_is_that_of_most_pictures(size, most, side):
    assert side_of([blank(*size)] * 3 + [blank(600, 600)] * 2, None, most) == side


def test_a_side_is_taken_as_asked_and_without_pictures_the_least():
    assert side_of([blank(28, 28)], 200, 32) == 200
    assert side_of([], None, 224) == 32


def test_one_colourful_picture_makes_all_so():
    assert is_grey([blank(4, 4, 1)] * 3)
    assert not is_grey([*[blank(4, 4, 1)] * 3, Picture.of(np.full((4, 4, 3), (9, 90, 9), np.uint8))])
    assert not is_grey([])


@pytest.mark.parametrize("shared", [True, False])
def test_of_two_processes_one_decodes_and_both_read(tmp_path, shared):
    for index in "01":
        (tmp_path / index).mkdir()
    launch = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2")
    done = subprocess.run(
        [*launch, SCRIPT, str(tmp_path), "yes" if shared else "no"],
        env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True, timeout=400, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    first, second = (json.loads((tmp_path / f"{index}.json").read_text()) for index in (0, 1))
    assert first == {"own": [40, 40, 20, 40, 20], "decoded": {"100": [True, True], "60": [True, True]}}
    if shared:
        assert second == {**first, "own": []}
    else:
        assert second == {**first, "decoded": {"100": [False, True], "60": [False, True]}}


def test_a_process_alone_keeps_pixels_in_the_folder_of_its_run(tmp_path):
    assert kept.folder_of(Run(Settings(), tmp_path)) == tmp_path
    assert Processes.joined() is None
