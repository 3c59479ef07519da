"""What a strategy takes when the settings leave it open: by the kind of network and its width."""

from __future__ import annotations

import pytest
from tests.tiny import make_resnet, make_timm, make_vit

from headwater.foundation.image import ImageEncoder
from headwater.transfer.recipes import RECIPES, recipe_of


@pytest.mark.parametrize("make", [make_resnet, make_timm])
@pytest.mark.parametrize("strategy", ["full", "probe-then-full", "last-layers"])
def test_networks_with_batch_norms_take_larger_steps_and_more_of_them(tmp_path, make, strategy):
    encoder = ImageEncoder.load(make(tmp_path / "made"), "made")
    found, usual = recipe_of(strategy, encoder), RECIPES[strategy]
    assert found.learning_rate > usual.learning_rate
    assert found.fewest_steps > usual.fewest_steps
    assert found.epochs > usual.epochs


@pytest.mark.parametrize("strategy", RECIPES)
def test_networks_of_attention_take_the_usual(tmp_path, strategy):
    encoder = ImageEncoder.load(make_vit(tmp_path / "made"), "made")
    assert recipe_of(strategy, encoder) == RECIPES[strategy].of_width(encoder.width)
