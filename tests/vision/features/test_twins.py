import pytest
import torch

from headwater.vision.features.views import Twins

PICTURES = torch.randint(0, 256, (64, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def _views(twins, seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return twins.views(PICTURES)


def test_two_views_of_a_picture_differ_and_a_seed_repeats_them():
    twins = Twins.of(crop=0.2, colour=0.4, grey=False)
    first, second = _views(twins)
    assert first.shape == second.shape == PICTURES.shape
    assert (first != second).flatten(1).any(dim=1).all()
    assert 0 <= first.min() < first.max() <= 1
    torch.testing.assert_close(_views(twins)[1], second, rtol=0, atol=0)


def test_a_fifth_of_the_views_lose_their_colour():
    first, second = _views(Twins.of(crop=0.2, colour=0.4, grey=False))
    grey = [torch.allclose(view[0], view[2]) for view in (*first, *second)]
    assert 0.1 < sum(grey) / len(grey) < 0.3


def test_the_shares_of_the_colours_change():
    plain, tinted = (_views(Twins(tint=tint))[0] for tint in (0.0, 0.5))
    ratio = (tinted / plain.clamp(min=0.01)).flatten(2).median(dim=2).values
    assert (ratio[:, 0] / ratio[:, 2]).std() > 0.1
    torch.testing.assert_close(plain, PICTURES.float() / 255)


@pytest.mark.parametrize(("crop", "kept"), [(0.1, 0.4), (0.9, 0.9)])
def test_grey_pictures_are_never_mirrored_and_keep_most_of_themselves(crop, kept):
    twins = Twins.of(crop=crop, colour=0.4, grey=True)
    assert (twins.preset.mirror, twins.preset.crop, twins.tint, twins.grey) == (False, kept, 0.0, 0.0)
