from dataclasses import replace

import pytest
import torch
from tests.vision.shapes import stripes

from headwater.vision.augmentation import (
    PRESETS,
    Preset,
    _rectangles,
    altered,
    cutmix,
    mixed,
    mixup,
    preset_of,
    unit,
)

SEVERAL = {
    "shift": Preset(shift=1 / 8),
    "mirror": Preset(mirror=True),
    "crop": Preset(crop=0.35),
    "rotation": Preset(rotation=15),
    "colour": Preset(colour=0.4),
    "erase": Preset(erase=1.0),
    **PRESETS,
}


def batch(rows=6, side=16, channels=3):
    return torch.from_numpy(stripes(rows, side, channels=channels)[0]).permute(0, 3, 1, 2)


def copies(rows=64, side=16, channels=3):
    return batch(1, side, channels).expand(rows, -1, -1, -1)


def seeded(function, *given, seed=0):
    torch.manual_seed(seed)
    return function(*given)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("preset", SEVERAL.values(), ids=SEVERAL)
def test_shape_and_range_stay(preset, channels):
    pictures = batch(channels=channels)
    kept = pictures.clone()
    found = altered(pictures, preset)
    assert found.shape == pictures.shape
    assert found.dtype == torch.float32
    assert found.min() >= 0
    assert found.max() <= 1
    assert torch.equal(pictures, kept)
    assert found.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("name", [name for name in SEVERAL if name != "none"])
def test_a_seed_repeats_and_every_picture_has_its_own_draw(name):
    pictures, preset = copies(), SEVERAL[name]
    found = seeded(altered, pictures, preset)
    assert torch.equal(found, seeded(altered, pictures, preset))
    assert not torch.equal(found, seeded(altered, pictures, preset, seed=1))
    distinct = len({row.numpy().tobytes() for row in found})
    assert distinct == 2 if name == "mirror" else distinct > 20


def test_without_alterations_nothing_is_altered():
    assert torch.equal(altered(batch(), PRESETS["none"]), unit(batch()))


def test_half_of_the_pictures_are_mirrored():
    original = unit(copies(1))[0]
    found = altered(copies(200), Preset(mirror=True))
    same, mirrored = ((found == wanted).all(dim=(1, 2, 3)) for wanted in (original, original.flip(2)))
    assert (same ^ mirrored).all()
    assert 70 < mirrored.sum() < 130


@pytest.mark.parametrize("preset", [Preset(shift=0.25), Preset(crop=0.9), Preset(rotation=10)])
def test_only_where_it_is_allowed_is_anything_mirrored(preset):
    ramp = torch.arange(0, 256, 16, dtype=torch.uint8).repeat(100, 1, 16, 1)
    rising = altered(ramp, preset).diff(dim=3).mean(dim=(1, 2, 3)) > 0
    assert rising.all()
    assert 20 < (altered(ramp, replace(preset, mirror=True)).diff(dim=3).mean(dim=(1, 2, 3)) > 0).sum() < 80


def test_a_shift_moves_whole_pixels_and_reflects():
    found = altered(copies(400, 8), Preset(shift=1 / 4))
    original = unit(copies(1, 8))[0]
    padded = torch.nn.functional.pad(original[None], (2, 2, 2, 2), mode="reflect")[0]
    wanted = {padded[:, y : y + 8, x : x + 8].numpy().tobytes() for y in range(5) for x in range(5)}
    assert {row.contiguous().numpy().tobytes() for row in found} == wanted


def test_a_warp_that_changes_nothing_gives_the_picture():
    torch.testing.assert_close(altered(batch(), Preset(rotation=1e-6)), unit(batch()), atol=1e-4, rtol=0)


def test_a_quarter_turn_is_a_quarter_turn(monkeypatch):
    monkeypatch.setattr("headwater.vision.augmentation._between", lambda low, high, rows: torch.full((rows,), high))
    found = altered(batch(), Preset(rotation=90.0))
    expected = unit(batch()).rot90(1, (2, 3))
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)


def test_a_crop_shows_a_part_enlarged():
    ramp = torch.arange(0, 256, 8, dtype=torch.uint8).repeat(300, 1, 32, 1)
    found = altered(ramp, Preset(crop=0.35))
    seen = (found.amax(dim=(1, 2, 3)) - found.amin(dim=(1, 2, 3))) / (248 / 255)
    assert seen.min() > 0.45
    assert seen.max() <= 1
    assert seen.mean() < 0.9


def test_colours_of_grey_pictures_stay_grey():
    found = altered(copies(8, channels=1).expand(-1, 3, -1, -1), Preset(colour=0.4))
    torch.testing.assert_close(found[:, 0], found[:, 2])


def test_erasing_takes_a_rectangle_of_the_size_that_is_asked():
    pictures = torch.zeros(500, 1, 32, 32)
    gone = seeded(_rectangles, pictures, torch.full((500,), 0.25), torch.full((500,), 4.0))
    assert gone.shape == (500, 1, 32, 32)
    assert (gone.sum(dim=(1, 2, 3)) == 8 * 32).all()
    assert (gone.any(dim=3).sum(dim=2) == 8).all()
    # Every place is as likely as any other: no corner is spared.
    assert gone.any(dim=0).all()
    assert not _rectangles(pictures, torch.zeros(500), torch.ones(500)).any()
    assert _rectangles(pictures, torch.ones(500), torch.ones(500)).all()


def test_a_share_of_the_pictures_is_erased():
    found = altered(copies(400), Preset(erase=0.25))
    changed = (found != unit(copies(1))).any(dim=(1, 2, 3))
    assert 60 < changed.sum() < 140


def test_mixup_is_the_weighted_mean():
    pictures = unit(batch(40))
    made = mixup(pictures)
    share = made.share[:, None, None, None]
    expected = share * pictures + (1 - share) * pictures[made.partner]
    torch.testing.assert_close(made.pictures, expected)
    assert sorted(made.partner.tolist()) == list(range(40))
    assert made.share.unique().numel() > 30


def test_cutmix_has_the_share_of_its_pixels():
    pictures = torch.arange(40.0)[:, None, None, None].expand(-1, 3, 16, 16)
    made = cutmix(pictures)
    own = (made.pictures == pictures)[:, 0].float().mean(dim=(1, 2))
    others = (made.pictures == pictures[made.partner])[:, 0].float().mean(dim=(1, 2))
    alone = made.partner == torch.arange(40)
    torch.testing.assert_close(own[~alone], made.share[~alone])
    torch.testing.assert_close(others[~alone], 1 - made.share[~alone])


def test_batches_are_mixed_as_often_as_the_preset_says():
    pictures = unit(batch(4))
    found = [mixed(pictures, Preset(mix=0.5)) for _ in range(200)]
    assert 70 < sum(one is not None for one in found) < 130
    assert mixed(pictures, PRESETS["standard"]) is None
    assert mixed(pictures[:1], Preset(mix=1.0)) is None


@pytest.mark.parametrize("side", [32, 224])
@pytest.mark.parametrize("rows", [100, 100_000])
def test_grey_pictures_are_never_mirrored_by_themselves(side, rows):
    assert not preset_of("auto", side, grey=True, rows=rows).mirror
    assert preset_of("auto", side, grey=False, rows=rows).mirror
    assert preset_of("light", side, grey=True, rows=rows).mirror


def test_auto_goes_by_size_and_number():
    small, large = (preset_of("auto", side, grey=False, rows=1000) for side in (32, 224))
    assert (small.crop, small.shift) == (1, 0.125)
    assert (large.crop, large.colour) == (0.35, 0.3)
    assert small.erase > large.erase > preset_of("auto", 224, grey=False, rows=100_000).erase == 0
    assert all(preset_of(name, 32, grey=False, rows=10) is preset for name, preset in PRESETS.items())
