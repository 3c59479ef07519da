"""What all segmenters share: they learn, answer at the picture's own size, and are the same when read back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.vision.segmentation.scenes import drawn, scenes
from torch import nn

from headwater.data.masks import ClassMap
from headwater.data.pictures import Picture
from headwater.data.raster import encode
from headwater.errors import DataError, SettingError
from headwater.run import Run
from headwater.settings import Settings
from headwater.vision import threads
from headwater.vision.locator import Scenes
from headwater.vision.segmentation import segmenter
from headwater.vision.segmentation.canvas import Canvas
from headwater.vision.segmentation.deeplab import DeeplabSegmenter
from headwater.vision.segmentation.fcn import FcnSegmenter
from headwater.vision.segmentation.segmenter import Segmenter, bands_of, enlarged, joined, mean_overlap
from headwater.vision.segmentation.settings import SegmenterSettings
from headwater.vision.segmentation.unet import UnetSegmenter
from headwater.vision.segmentation.views import Views

TRAIN, VALID = scenes(24), scenes(6, seed=1)
SMALL = {
    UnetSegmenter: {"width": 8, "depth": 2},
    FcnSegmenter: {"width": 8},
    DeeplabSegmenter: {"width": 8, "pyramid": 8},
}


class Plain(Segmenter):
    """One layer, which tells shades."""

    def network(self, channels, n_classes):
        return nn.Sequential(nn.Conv2d(channels, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, n_classes, 1))


def run_in(folder, **settings):
    folder.mkdir(exist_ok=True, parents=True)
    given = {"batch_size": 8, "device": "cpu", "precision": "fp32", "image_augment": "light", "patience": 50} | settings
    return Run(Settings(**given), folder)


def fitted(folder, kind=Plain, train=TRAIN, valid=VALID, own=None, **settings):
    return kind(kind.Settings(**own or {})).fit(train, valid, run_in(folder, **settings))


def coded(rows, height, width):
    """Masks in files, and what their codes mean."""
    maps = drawn(rows, height, width)[1]
    return [(Picture(content=encode(one.astype(np.uint8))), ((0, 0), (1, 1), (2, 2))) for one in maps]


def overlap_of(made, unseen):
    found = made.answers(unseen.inputs)
    known = [np.where(one < 0, 255, one) for one in unseen.answers]
    return mean_overlap(np.stack(known), np.stack(found), 3)


@pytest.mark.parametrize(
    ("kind", "least"),
    [(UnetSegmenter, 0.9), (FcnSegmenter, 0.6), (DeeplabSegmenter, 0.4)],
    ids=["unet", "fcn", "deeplab"],
)
def test_learns_and_is_saved_whole(kind, least, tmp_path):
    made = fitted(tmp_path / "run", kind, own=SMALL[kind], epochs=6, learning_rate=0.02, image_augment="none")
    unseen = scenes(8, seed=2)
    assert overlap_of(made, unseen) > least
    assert made.trace.stages[0].score > least
    assert len(made.trace.curve) >= made.trace.curve[-1]["epoch"] >= 1
    (tmp_path / "saved").mkdir()
    made.save(tmp_path / "saved")
    again = kind.load(tmp_path / "saved")
    for one, other in zip(again.answers(unseen.inputs), made.answers(unseen.inputs), strict=True):
        np.testing.assert_array_equal(one, other)
    assert (again.settings, again.canvas) == (made.settings, made.canvas)
    assert sorted(file.name for file in (tmp_path / "saved").iterdir()) == ["model.json", "model.safetensors"]


@pytest.mark.parametrize("kind", SMALL, ids=["unet", "fcn", "deeplab"])
@pytest.mark.parametrize(("rows", "settings"), [(5, {"batch_size": 4}), (2, {"token_budget": 16})], ids=str)
def test_a_pass_of_one_picture_is_learnt_from(kind, rows, settings, tmp_path):
    few = scenes(rows, 16, 16)
    own = SMALL[kind] | ({"depth": 4} if kind is UnetSegmenter else {})
    made = fitted(tmp_path, kind, few, few, own, epochs=1, **settings | {"image_size": 16})
    assert np.isfinite(made.trace.curve[0]["loss"])


def test_answers_have_the_height_and_width_of_their_picture(tmp_path):
    made = fitted(tmp_path, epochs=1)
    shapes = [(1, 1), (5, 90), (300, 20, 3), (32, 32, 4)]
    given = [Picture(content=encode(np.full(shape, 90, np.uint8))) for shape in shapes]
    found = made.answers(given)
    assert [one.shape for one in found] == [shape[:2] for shape in shapes]
    assert all(one.dtype == np.int16 and 0 <= one.min() <= one.max() < 3 for one in found)
    assert made.answers([]) == []


def test_grey_pictures_have_one_channel(tmp_path):
    grey = scenes(8, channels=1)
    made = fitted(tmp_path, train=grey, valid=grey, epochs=1)
    assert made.grey
    assert made.answers(TRAIN.inputs[:1])[0].shape == (32, 32)


def test_small_things_in_large_pictures_are_learnt_and_found_in_tiles(tmp_path, caplog):
    caplog.set_level("INFO", "headwater")
    pixels, maps = drawn(2, 80, 96)
    dots = np.zeros_like(maps)
    dots[:, ::6, ::6] = 1
    pixels[dots == 1] = 255
    train = replace(TRAIN, inputs=[Picture(content=encode(one)) for one in pixels], answers=list(dots), n_classes=2)
    made = fitted(tmp_path, train=train, valid=train, own={"weighting": "root"}, image_size=32, epochs=6,
                  learning_rate=0.03)  # fmt: skip
    assert made.canvas == Canvas(64, 64, 32, tiles=True)
    assert "windows of 32 pixels are learnt from, turned and mirrored" in caplog.text
    assert "avoid it with --set tiles=no" in caplog.text
    for answer, known in zip(made.answers(train.inputs), dots, strict=True):
        assert (answer == known).mean() > 0.99


@pytest.mark.parametrize(("height", "width"), [(70, 100), (200, 64), (40, 90), (130, 130)])
def test_overlapping_pieces_are_joined_without_a_seam(height, width):
    torch.manual_seed(0)
    whole = torch.randn(3, height, width)
    boxes = Canvas(64, 64, 32, tiles=True).boxes(width, height)
    parts = [whole[:, top:bottom, left:right] for left, top, right, bottom in boxes]
    bands = [(parts[rows], boxes[rows]) for rows in bands_of(boxes)]
    np.testing.assert_array_equal(joined(bands, height, width, 8), whole.argmax(dim=0).numpy())


def test_pieces_are_blended_by_how_far_they_are_from_their_edges():
    torch.manual_seed(0)
    boxes = Canvas(64, 64, 64, tiles=True).boxes(100, 150)
    parts = [torch.randn(3, bottom - top, right - left) for left, top, right, bottom in boxes]
    total = torch.zeros(3, 150, 100)
    for logits, (left, top, right, bottom) in zip(parts, boxes, strict=True):
        down, across = (torch.tensor([min(16, at + 1, length - at) for at in range(length)]) for length in (64, 64))
        total[:, top:bottom, left:right] += logits * down[:, None] * across
    bands = [(parts[rows], boxes[rows]) for rows in bands_of(boxes)]
    np.testing.assert_array_equal(joined(bands, 150, 100, 16), total.argmax(dim=0).numpy())


def test_a_very_large_answer_is_enlarged_from_a_smaller_one(monkeypatch):
    logits = torch.stack([torch.zeros(4, 4), torch.eye(4)])
    fine = enlarged(logits, 32, 64)
    monkeypatch.setattr(segmenter, "_FINE", 2 * 16 * 32)
    coarse = enlarged(logits, 32, 64)
    assert coarse.shape == fine.shape == (32, 64)
    assert (coarse == fine).mean() > 0.9


def test_averaged_answers_are_those_of_the_picture_turned_and_mirrored(tmp_path):
    made = fitted(tmp_path, epochs=2)
    alone = made.logits_of(made.canvas.drawn(VALID.inputs[0], grey=False))
    made.settings = replace(made.settings, averaged=8)
    together = made.logits_of(made.canvas.drawn(VALID.inputs[0], grey=False))
    assert together.shape == alone.shape
    assert (together.argmax(1) == alone.argmax(1)).float().mean() > 0.9

    class Same(nn.Module):
        def forward(self, pictures):
            return pictures

    made.model = nn.Sequential(Same(), nn.Conv2d(3, 3, 1))
    made.settings = replace(made.settings, averaged=1)
    pixels = made.canvas.drawn(VALID.inputs[0], grey=False)
    alone = made.logits_of(pixels)
    made.settings = replace(made.settings, averaged=8)
    # What sees single pixels sees them however they are turned.
    torch.testing.assert_close(made.logits_of(pixels), alone)


def test_answers_go_in_smaller_passes_when_memory_runs_out(tmp_path):
    made = fitted(tmp_path, epochs=1, token_budget=64)
    pixels = np.concatenate([made.canvas.drawn(picture, grey=False) for picture in VALID.inputs])
    wanted, inner = made.logits_of(pixels), made.model

    class Tight(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = inner

        def forward(self, pictures):
            if len(pictures) > 2:
                raise torch.OutOfMemoryError("no room")
            return self.inner(pictures)

    made.model = Tight()
    torch.testing.assert_close(made.logits_of(pixels), wanted)


def test_the_same_seed_learns_the_same(tmp_path):
    found = [fitted(tmp_path / str(name), epochs=2, seed=3).model.state_dict() for name in range(2)]
    for one, other in zip(*(state.values() for state in found), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_few_pictures_are_passed_over_more_often_in_smaller_steps():
    few, many = (Segmenter.completed(Settings(), rows) for rows in (24, 5000))
    assert (few.batch_size, few.epochs) == (4, 167)
    assert (many.batch_size, many.epochs) == (32, 30)
    asked = Segmenter.completed(Settings(epochs=3, learning_rate=0.5, batch_size=2), 24)
    assert (asked.batch_size, asked.epochs, asked.learning_rate) == (2, 3, 0.5)


@pytest.mark.parametrize("canvas", [Canvas(32, 32), Canvas(32, 32, 16, tiles=True)], ids=["whole", "tiles"])
@pytest.mark.parametrize("kept", [1 << 28, 0], ids=["memory", "file"])
def test_views_are_the_same_however_many_threads_make_them(canvas, kept, tmp_path, monkeypatch):
    monkeypatch.setattr("headwater.vision.kept.IN_MEMORY", kept)
    given = replace(scenes(20, 40, 56), answers=[ClassMap(*one) for one in coded(20, 40, 56)])
    found = []
    for cores in (1, 4):
        monkeypatch.setattr(threads.os, "cpu_count", lambda cores=cores: cores)
        (tmp_path / str(cores)).mkdir()
        found.append(Views.of(given, canvas, grey=False, folder=tmp_path / str(cores)))
    np.testing.assert_array_equal(found[0].array, found[1].array)
    assert len(np.unique(found[0].masks)) > 2


def test_large_views_are_kept_in_a_file(tmp_path, monkeypatch):
    canvas = Canvas(32, 32)
    memory = Views.of(TRAIN, canvas, grey=False, folder=tmp_path)
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr("headwater.vision.kept.IN_MEMORY", 1000)
    kept = Views.of(TRAIN, canvas, grey=False, folder=tmp_path)
    assert isinstance(kept.array, np.memmap)
    np.testing.assert_array_equal(kept.array, memory.array)
    monkeypatch.setattr(Canvas, "drawn", None)
    np.testing.assert_array_equal(Views.of(TRAIN, canvas, grey=False, folder=tmp_path).array, memory.array)
    assert len(list(tmp_path.iterdir())) == 1


def test_views_of_other_masks_are_others(tmp_path, monkeypatch):
    monkeypatch.setattr("headwater.vision.kept.IN_MEMORY", 0)
    known = np.repeat([[0, 1]], 16, axis=1).repeat(32, axis=0).astype(np.int16)
    pictures = [Picture.of(np.zeros((32, 32), np.uint8))]
    in_memory = [[known], [known[:, ::-1]]]
    masks = [Picture.of(one[0].astype(np.uint8)) for one in in_memory]
    in_files = [[ClassMap(mask, ((0, place), (1, 1 - place)))] for mask in masks for place in (0, 1)]
    for answers in [*in_memory, *in_files]:
        kept = Views.of(Scenes(pictures, answers, 2), Canvas(32, 32), grey=True, folder=tmp_path)
        np.testing.assert_array_equal(kept.masks[0], np.asarray(answers[0]))
    assert len(list(tmp_path.iterdir())) == 6


def test_masks_that_are_gone_before_views_are_looked_for_are_told(tmp_path, monkeypatch):
    monkeypatch.setattr("headwater.vision.kept.IN_MEMORY", 0)
    given = Scenes([Picture.of(np.zeros((32, 32), np.uint8))], [ClassMap(Picture(str(tmp_path / "gone")), ())], 2)
    with pytest.raises(DataError, match="A mask that was there before cannot be read any more"):
        Views.of(given, Canvas(32, 32), grey=True, folder=tmp_path)


def test_views_know_how_frequent_classes_are():
    array = np.full((2, 1, 4, 2), 255, np.uint8)
    array[0, 0, :, 1] = [0, 0, 0, 1]
    array[1, 0, :, 1] = [0, 0, 255, 255]
    np.testing.assert_allclose(Views(array, np.arange(2)).frequencies(3), [5 / 6, 1 / 4, 0])


def test_the_base_is_no_model():
    assert Segmenter.Settings is SegmenterSettings
    assert Segmenter.__abstractmethods__ == {"network"}


def test_a_network_deeper_than_its_pictures_is_refused(tmp_path):
    with pytest.raises(SettingError, match="would halve pictures to nothing") as told:
        fitted(tmp_path, UnetSegmenter, own={"width": 4, "depth": 6}, epochs=1)
    assert "at most 5 for the 32 x 32 pixels" in str(told.value)
