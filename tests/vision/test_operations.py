"""Every operation of RandAugment is that of torchvision, one number a picture; of a batch each picture has its own."""

import pytest
import torch
from tests.vision.shapes import stripes
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import RandAugment
from torchvision.transforms.v2 import functional as reference

from headwater.vision import operations
from headwater.vision.augmentation import PRESETS, Preset, altered, unit
from headwater.vision.operations import OPERATIONS, operated

BILINEAR = {"interpolation": InterpolationMode.BILINEAR}


def batch(rows=4, side=24, channels=3):
    found = torch.from_numpy(stripes(rows, side, channels=channels)[0]).permute(0, 3, 1, 2)
    return unit(found) * torch.linspace(0.4, 1, rows)[:, None, None, None]


def numbers(*values):
    return torch.tensor(values)


FACTORS = (0.1, 0.73, 1.27, 1.9)
CASES = {
    "brightness": (operations.brightened, FACTORS, reference.adjust_brightness),
    "contrast": (operations.contrasted, FACTORS, reference.adjust_contrast),
    "saturation": (operations.saturated, FACTORS, reference.adjust_saturation),
    "sharpness": (operations.sharpened, FACTORS, reference.adjust_sharpness),
    "posterize": (operations.posterised, (8, 6, 5, 4), lambda one, bits: reference.posterize(one, int(bits))),
    "solarize": (operations.solarised, (0.1, 0.4, 0.7, 1.0), reference.solarize),
    "rotate": (
        lambda some, degrees: operations.turned(some, degrees, 0.0), (-30.0, 9.0, 0.0, 17.5),
        lambda one, degrees: reference.rotate(one, degrees, **BILINEAR),
    ),
    "shear-x": (
        lambda some, tilt: operations.sheared(some, tilt, 0 * tilt, 0.0), (-0.3, 0.1, 0.0, 0.25),
        lambda one, tilt: slanted(one, tilt, 0),
    ),
    "shear-y": (
        lambda some, tilt: operations.sheared(some, 0 * tilt, tilt, 0.0), (-0.3, 0.1, 0.0, 0.25),
        lambda one, tilt: slanted(one, tilt, 1),
    ),
    "translate-x": (
        lambda some, share: operations.shifted(some, share, 0 * share, 0.0), (-0.5, 0.25, 0.0, 3 / 24),
        lambda one, share: slid(one, [24 * share, 0]),
    ),
    "translate-y": (
        lambda some, share: operations.shifted(some, 0 * share, share, 0.0), (-0.5, 0.25, 0.0, 3 / 24),
        lambda one, share: slid(one, [0, 24 * share]),
    ),
}  # fmt: skip


def slanted(one, tilt, axis):
    angles = [0.0, 0.0]
    angles[axis] = float(torch.rad2deg(torch.atan(torch.tensor(tilt))))
    return reference.affine(one, angle=0, translate=[0, 0], scale=1, shear=angles, **BILINEAR)


def slid(one, steps):
    return reference.affine(one, angle=0, translate=[round(step) for step in steps], scale=1, shear=[0, 0], **BILINEAR)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", CASES)
def test_an_operation_is_that_of_torchvision(name, channels):
    ours, values, theirs = CASES[name]
    pictures = batch(channels=channels)
    kept = pictures.clone()
    found = ours(pictures, numbers(*values))
    wanted = torch.stack([theirs(one, value) for one, value in zip(pictures, values, strict=True)])
    # Its red counts 0.2989 in a grey, not 0.299.
    torch.testing.assert_close(found, wanted, atol=2e-4 if name in ("contrast", "saturation") else 2e-5, rtol=0)
    assert torch.equal(pictures, kept)


@pytest.mark.parametrize("channels", [1, 3])
def test_shades_are_stretched_and_equalised_as_by_torchvision(channels):
    pictures = batch(channels=channels)
    pictures[1] = 0.5  # a single shade
    pictures[2] = pictures[2].round()
    torch.testing.assert_close(operations.stretched(pictures), reference.autocontrast(pictures))
    levels = (255 * pictures).round().byte()
    torch.testing.assert_close(operations.equalised(unit(levels)), reference.equalize(levels).float() / 255)


def test_the_operations_and_their_strengths_are_those_of_the_paper():
    assert len(OPERATIONS) == len(RandAugment._AUGMENTATION_SPACE) == 14
    pictures, full = batch(2, 331), torch.ones(2)
    calm = {"identity", "autocontrast", "equalize", "posterize"}
    for name in set(OPERATIONS) - calm:
        assert not torch.equal(OPERATIONS[name](pictures, 0.3 * full), pictures)
    torch.testing.assert_close(OPERATIONS["brightness"](pictures, full), (1.9 * pictures).clamp(max=1))
    torch.testing.assert_close(
        OPERATIONS["translate-x"](pictures, full)[..., 150:], pictures[..., :-150], atol=1e-4, rtol=0
    )
    torch.testing.assert_close(OPERATIONS["posterize"](pictures, -full), operations.posterised(pictures, 4 * full))
    assert (OPERATIONS["rotate"](pictures, full)[:, :, 0, 0] == 0.5).all()


def test_small_pictures_are_not_sharpened():
    tiny = batch(2, 2)
    assert torch.equal(operations.sharpened(tiny, numbers(1.9, 0.1)), tiny)


@pytest.mark.parametrize("channels", [1, 3])
def test_every_picture_has_its_own_operations(channels):
    pictures = batch(2, channels=channels)[1:].expand(300, -1, -1, -1)
    torch.manual_seed(0)
    found = operated(pictures, 1, 0.3)
    torch.manual_seed(0)
    assert torch.equal(found, operated(pictures, 1, 0.3))
    distinct = {row.contiguous().numpy().tobytes() for row in found}
    # Nine operations have two directions, five have one; of grey pictures, those of colour change nothing.
    assert len(distinct) == (23 if channels == 3 else 21)
    assert len({row.contiguous().numpy().tobytes() for row in operated(pictures, 2, 0.3)}) > 60
    assert found.min() >= 0
    assert found.max() <= 1
    assert found.is_contiguous(memory_format=torch.channels_last)


def test_a_preset_operates():
    pictures = (255 * batch(64)).byte()
    one, other = (altered(pictures, Preset(operations=count, strength=0.3)) for count in (0, 2))
    assert torch.equal(one, unit(pictures))
    assert 0.5 < (one != other).any(dim=(1, 2, 3)).float().mean() < 1
    assert PRESETS["strong"].operations == 2
