from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.vision.detection.squares import COLOURS, scenes

from headwater.data.boxes import Boxes
from headwater.vision.detection.scenes import Framed, Target
from headwater.vision.detection.views import PRESETS, Preset, Views
from headwater.vision.frames import Frame
from headwater.vision.locator import Scenes

GIVEN = scenes(6)
ROWS = np.arange(6)
SQUARE = Frame(64, 64)


def gallery(frame=SQUARE, given=GIVEN):
    return Framed.of(given, frame, None, lambda pixels: [np.array([[0, 0, 9, 9]], np.float32)] * len(pixels))


def covers(picture, place, label):
    """The share of a box that has the colour of its class, of float pixels of shape (3, height, width)."""
    left, top, right, bottom = (round(float(edge)) for edge in place)
    inside = picture[:, top:bottom, left:right] * 255
    colour = torch.tensor(COLOURS[label]).float()[:, None, None]
    return float(((inside - colour).abs().amax(dim=0) < 40).float().mean())


def test_pictures_and_boxes_are_laid_into_the_frame():
    wide = scenes(3, height=64, width=128)
    found = gallery(Frame(64, 64), wide)
    pictures, targets = found.take(np.arange(3))
    assert pictures.shape == (3, 3, 64, 64)
    assert (pictures[:, :, 33:] * 255).round().eq(114).all()
    for picture, target, boxes in zip(pictures, targets, wide.answers, strict=True):
        np.testing.assert_allclose(target.places, boxes.places / 2)
        assert all(covers(picture, *pair) > 0.5 for pair in zip(target.places, target.labels, strict=True))


def test_what_is_difficult_is_not_asked_for_but_known():
    boxes = Boxes(np.array([[0, 0, 8, 8], [8, 8, 20, 20]], np.float32), np.array([0, 1]), None, np.array([True, False]))
    found = gallery(given=Scenes(GIVEN.inputs[:1], [boxes], 2))
    assert found.targets[0].labels.tolist() == [1]
    assert found.targets[0].pardoned.tolist() == [[0, 0, 8, 8]]
    assert len(found.known[0]) == 2


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("mark", ["difficult", "crowd"])
def test_what_need_not_be_found_moves_with_the_others(name, mark):
    twice = [
        Boxes(np.tile(one.places, (2, 1)), np.tile(one.labels, 2), **{mark: np.arange(2 * len(one)) >= len(one)})
        for one in GIVEN.answers
    ]
    torch.manual_seed(0)
    seen = gallery(given=replace(GIVEN, answers=twice))
    places, pardoned = 0, 0
    for _ in range(8):
        for target in seen.altered(ROWS, replace(PRESETS[name], upside_down=True))[1]:
            known, spared = ({tuple(place) for place in boxes.tolist()} for boxes in (target.places, target.pardoned))
            assert known <= spared
            places, pardoned = places + len(known), pardoned + len(spared)
    # What is hardly in sight is not asked for; it is pardoned all the same.
    assert (pardoned > places) == (PRESETS[name].mosaic > 0)


@pytest.mark.parametrize("name", PRESETS)
def test_boxes_move_with_the_pixels(name):
    torch.manual_seed(0)
    preset = replace(PRESETS[name], upside_down=True, colour=0.0)
    seen = gallery()
    counts = []
    for _ in range(8):
        pictures, targets = seen.altered(ROWS, preset)
        assert pictures.shape == (6, 3, 64, 64)
        assert pictures.is_contiguous(memory_format=torch.channels_last)
        for picture, target in zip(pictures, targets, strict=True):
            counts.append(len(target.labels))
            for place, label in zip(target.places, target.labels, strict=True):
                assert (place >= 0).all()
                assert (place <= 64).all()
                assert covers(picture, place, label) > (0.6 if place[2:].sub(place[:2]).min() > 6 else 0.2)
    assert np.mean(counts) > 1


def test_what_is_cut_off_is_asked_for_no_more():
    torch.manual_seed(0)
    boxes = torch.tensor([[0.0, 0, 61.5, 60]])
    draws = [Views(np.zeros((1, 2, 2), int), (64, 64), Preset(mosaic=1.0)) for _ in range(60)]
    found = [views.cut(boxes, (0, line, column)) for views in draws for line in (0, 1) for column in (0, 1)]
    shares = np.array([float((cut[0, 2:] - cut[0, :2]).prod()) / 3690 for cut, _ in found])
    kept = np.array([bool(seen) for _, seen in found])
    assert kept.any()
    enough = np.array([float((cut[0, 2:] - cut[0, :2]).min()) >= 2 for cut, _ in found])
    np.testing.assert_array_equal(kept, (shares >= 0.25) & enough)
    assert not kept.all()


def test_the_parts_of_a_mosaic_do_not_bleed_into_each_other():
    torch.manual_seed(1)
    shades = np.repeat(np.array([0, 80, 160, 240], np.uint8), 64 * 64 * 3).reshape(1, 2, 2, 64, 64, 3)
    for _ in range(10):
        found = Views(np.zeros((1, 2, 2), int), (64, 64), Preset(zoom=(0.6, 1.6))).shown(shades) * 255
        assert set(np.unique(found.round())) <= {0, 80, 114, 160, 240}


def test_a_mirror_is_exact():
    torch.manual_seed(0)
    pixels = np.random.default_rng(0).integers(0, 256, (8, 1, 1, 64, 96, 3), np.uint8)
    views = Views(np.zeros((8, 1, 1), int), (64, 96), Preset(mirror=True, upside_down=True))
    found = (views.shown(pixels) * 255).permute(0, 2, 3, 1).numpy()
    ways = {(down, across): pixels[:, 0, 0, ::down, ::across] for down in (1, -1) for across in (1, -1)}
    taken = [way for row in range(8) for way, want in ways.items() if np.allclose(found[row], want[row], atol=0.01)]
    assert len(taken) == 8
    assert len(set(taken)) == 4


def test_a_seed_repeats():
    draws = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        draws.append(gallery().altered(ROWS, PRESETS["strong"]))
    (first, known), (again, same), (other, _) = draws
    assert torch.equal(first, again)
    assert all(torch.equal(*(target.places for target in pair)) for pair in zip(known, same, strict=True))
    assert not torch.equal(first, other)


def test_proposals_move_too():
    torch.manual_seed(0)
    _, targets = gallery().altered(ROWS, Preset(mirror=True))
    assert {tuple(target.proposals[0].tolist()) for target in targets} == {(0, 0, 9, 9), (55, 0, 64, 9)}


def test_targets_go_where_the_network_is():
    target = Target(torch.ones(1, 4), torch.ones(1).long(), torch.ones(2, 4)).to(torch.device("meta"))
    assert {part.device.type for part in vars(target).values()} == {"meta"}
