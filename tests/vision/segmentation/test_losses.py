"""The loss of masks, by hand and by torch's own."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from headwater.vision.segmentation.losses import class_weights, segmentation_loss


def test_cross_entropy_is_that_of_torch_a_picture():
    torch.manual_seed(0)
    logits, masks = torch.randn(3, 4, 6, 5), torch.randint(0, 4, (3, 6, 5))
    masks[0, :3] = 255
    weights = torch.tensor([1.0, 2.0, 0.5, 1.0])
    wanted = torch.zeros(())
    for row in range(3):
        known = masks[row] < 4
        each = functional.cross_entropy(
            logits[row][:, known].T, masks[row][known], weights, reduction="none"
        )  # fmt: skip
        wanted += each.mean()
    torch.testing.assert_close(segmentation_loss(logits, masks, weights, 0.0), wanted)


def test_dice_is_what_the_regions_share():
    masks = torch.zeros(1, 8, 8, dtype=torch.long)
    masks[:, :, 4:] = 1
    right = 50 * functional.one_hot(masks, 3).permute(0, 3, 1, 2).float()
    none = torch.zeros(())
    torch.testing.assert_close(segmentation_loss(right, masks, torch.ones(3), 1.0), none, atol=1e-4, rtol=0)
    wrong = right.flip(3)
    entropy = segmentation_loss(wrong, masks, torch.ones(3), 0.0)
    # Of two regions of 8 seen pixels each (every second of every second row), one pixel is added above and below.
    torch.testing.assert_close(segmentation_loss(wrong, masks, torch.ones(3), 1.0) - entropy, torch.tensor(1 - 1 / 17))


@pytest.mark.parametrize("dice", [0.0, 1.0])
def test_void_teaches_nothing_and_losses_add_up(dice: float):
    torch.manual_seed(0)
    logits, masks = torch.randn(2, 3, 8, 8, requires_grad=True), torch.randint(0, 3, (2, 8, 8))
    masks[:, ::2] = 255
    loss = segmentation_loss(logits, masks, torch.ones(3), dice)
    loss.backward()
    assert logits.grad is not None
    assert (logits.grad[:, :, ::2] == 0).all()
    parts = [segmentation_loss(logits[row : row + 1], masks[row : row + 1], torch.ones(3), dice) for row in range(2)]
    torch.testing.assert_close(loss, parts[0] + parts[1])
    nothing = segmentation_loss(logits, torch.full_like(masks, 255), torch.ones(3), dice)
    assert nothing.item() == 0


def test_weights_of_classes():
    frequencies = np.array([0.7, 0.28, 0.02, 0.0])
    median = class_weights(frequencies, "median-frequency")
    np.testing.assert_allclose(median[:3] * frequencies[:3], (median * frequencies)[0], rtol=1e-5)
    assert median[3] == 0
    for how in ("median-frequency", "root", "auto"):
        assert (class_weights(frequencies, how) * frequencies).sum() == pytest.approx(1.0)
    np.testing.assert_allclose(
        class_weights(frequencies, "root")[:3] ** 2 / median[:3], class_weights(frequencies, "root")[0] ** 2 / median[0]
    )
    np.testing.assert_array_equal(class_weights(frequencies, "auto"), class_weights(frequencies, "root"))
    np.testing.assert_array_equal(class_weights(np.array([0.6, 0.4]), "auto"), [1, 1])
    np.testing.assert_array_equal(class_weights(np.zeros(2), "root"), [0, 0])
