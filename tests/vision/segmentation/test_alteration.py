"""Masks move with the pixels."""

from __future__ import annotations

import pytest
import torch

from headwater.vision.segmentation.alteration import ALTERATIONS, Alteration, alteration_of, altered


def shapes(rows: int = 6, height: int = 48, width: int = 64) -> tuple[torch.Tensor, torch.Tensor]:
    """Soft-edged blots of a brightness that tells the class."""
    masks = torch.zeros(rows, height, width, dtype=torch.uint8)
    for row in range(rows):
        masks[row, 10 + row : 30 + row, 8 + 4 * row : 30 + 4 * row] = 1
    return (masks[:, None] * 200 + 20).to(torch.uint8).expand(-1, 3, -1, -1).contiguous(), masks


GEOMETRY = {
    "zoom": Alteration(zoom=1.5),
    "mirror": Alteration(mirror=True),
    "around": Alteration(mirror=True, around=True),
    "rotation": Alteration(rotation=30.0),
    "bend": Alteration(bend=0.04),
    "all": Alteration(zoom=1.4, mirror=True, around=True, rotation=20.0, bend=0.02),
}


@pytest.mark.parametrize("given", GEOMETRY.values(), ids=GEOMETRY)
@pytest.mark.parametrize("size", [(48, 64), (32, 32)], ids=["whole", "window"])
def test_masks_move_with_the_pixels(given: Alteration, size: tuple[int, int]):
    torch.manual_seed(0)
    pictures, masks = shapes()
    seen, known = altered(pictures, masks, given, size)
    assert (seen.shape, known.shape) == ((6, 3, *size), (6, *size))
    assert set(known.unique().tolist()) <= {0, 1, 255}
    there = known < 255
    bright = seen[:, 0] > 0.5
    agree = (bright == (known == 1)) | ~there
    # Only at the edge of a shape, where shades are blended, may the two differ.
    assert agree.float().mean() > 0.97
    assert (known == 1).any()


def test_nothing_is_done_where_nothing_is_asked():
    pictures, masks = shapes()
    seen, known = altered(pictures, masks, ALTERATIONS["none"], (48, 64))
    torch.testing.assert_close(seen, pictures.float() / 255)
    assert (known == masks).all()
    moved, _ = altered(pictures, masks, ALTERATIONS["none"], (32, 32))
    cut = [(pictures[0, 0, y : y + 32, x : x + 32] / 255) for y in range(17) for x in range(33)]
    nearest = min((moved[0, 0] - one).abs().max().item() for one in cut)
    assert nearest < 0.8  # a window anywhere: within a pixel of one that is cut out


def test_what_lies_outside_is_void():
    torch.manual_seed(1)
    pictures, masks = shapes()
    _, known = altered(pictures, masks, Alteration(zoom=3.0), (48, 64))
    assert (known == 255).any()
    _, known = altered(pictures, masks, Alteration(mirror=True), (48, 64))
    assert not (known == 255).any()


def test_quarter_turns_and_mirrors_lose_nothing():
    torch.manual_seed(0)
    square = torch.randint(0, 3, (8, 32, 32), dtype=torch.uint8)
    _, known = altered(square[:, None] * 60, square, Alteration(mirror=True, around=True), (32, 32))
    for one, was in zip(known, square.long(), strict=True):
        ways = [torch.rot90(way, turns) for way in (was, was.flip(1)) for turns in range(4)]
        assert any((one == way).all() for way in ways)


def test_the_same_seed_alters_alike():
    pictures, masks = shapes()
    found = []
    for _ in range(2):
        torch.manual_seed(3)
        found.append(altered(pictures, masks, ALTERATIONS["strong"], (48, 64)))
    torch.testing.assert_close(found[0], found[1])


@pytest.mark.parametrize(
    ("name", "rows", "tiles", "found"),
    [
        ("none", 5, True, ALTERATIONS["none"]),
        ("auto", 5, False, ALTERATIONS["strong"]),
        ("auto", 500, False, ALTERATIONS["standard"]),
        ("light", 500, False, ALTERATIONS["light"]),
    ],
)
def test_presets(name: str, rows: int, tiles: bool, found: Alteration):
    assert alteration_of(name, rows=rows, tiles=tiles) == found


def test_tiles_have_no_up_and_one_scale():
    found = alteration_of("strong", rows=5, tiles=True)
    assert found.around
    assert 1 < found.zoom < ALTERATIONS["strong"].zoom
