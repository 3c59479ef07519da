import math
from types import SimpleNamespace

import pytest
import torch
from tests.vision.detection.boxes import random_boxes, target
from torchvision.models.detection._utils import BoxCoder, SSDMatcher
from torchvision.models.detection.anchor_utils import DefaultBoxGenerator
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.ssd import SSD
from torchvision.ops import box_iou

from headwater.vision.detection.ssd import SIZES, Ssd, answering, first_boxes, multibox_loss

MAPS = [(8, 8), (4, 4), (2, 2), (1, 1), (1, 1)]
NESTED = target(torch.tensor([[20.0, 20, 50, 50], [30, 30, 36, 36], [32, 28, 60, 44]]), [0, 1, 1])
TARGETS = [target(random_boxes(3, most=60), [0, 1, 1]), target(random_boxes(2, seed=5, most=60), [1, 0])]


def sorted_rows(boxes):
    return torch.tensor(sorted([round(value, 3) for value in row] for row in boxes.tolist()))


def test_first_boxes_are_those_of_torchvision():
    reference = DefaultBoxGenerator([[2]] * 5, scales=list(SIZES), clip=False)
    images = ImageList(torch.zeros(1, 3, 64, 64), [(64, 64)])
    (expected,) = reference(images, [torch.zeros(1, 1, *size) for size in MAPS])
    found = first_boxes(MAPS, 64, 64)
    assert found.shape == expected.shape
    torch.testing.assert_close(sorted_rows(found), sorted_rows(expected), atol=2e-3, rtol=0)


def test_first_boxes_of_a_wide_picture_keep_their_shape():
    found = first_boxes([(2, 4)], 64, 128)
    edge = SIZES[0] * math.sqrt(64 * 128)
    torch.testing.assert_close(found[0], torch.tensor([16 - edge / 2, 16 - edge / 2, 16 + edge / 2, 16 + edge / 2]))


def test_the_loss_is_that_of_torchvision():
    torch.manual_seed(0)
    laid = first_boxes(MAPS, 64, 64)
    logits, told = torch.randn(2, len(laid), 3), torch.randn(2, len(laid), 4)
    found = [answering(laid, one.places) for one in TARGETS]
    # torchvision lets a known box have one first box of its own; ours are checked alone, and shared here.
    reference = SimpleNamespace(box_coder=BoxCoder((10.0, 10.0, 5.0, 5.0)), neg_to_pos_ratio=3)
    given = [{"boxes": one.places, "labels": one.labels + 1} for one in TARGETS]
    expected = SSD.compute_loss(
        reference, given, {"cls_logits": logits, "bbox_regression": told}, [laid] * 2, [one.box for one in found]
    )
    ours = multibox_loss(logits, told, laid, TARGETS, found)
    torch.testing.assert_close(ours, expected["bbox_regression"] + expected["classification"])


def test_first_boxes_are_matched_as_torchvision_matches_them():
    laid = first_boxes(MAPS, 64, 64)
    for one in (*TARGETS, NESTED):
        expected = SSDMatcher(0.5)(box_iou(one.places, laid))
        found = answering(laid, one.places).box
        torch.testing.assert_close(found, expected)
        assert set(range(len(one.labels))) <= set(found.tolist())


def test_a_picture_without_boxes_costs_nothing():
    laid = first_boxes(MAPS, 64, 64)
    logits, told = torch.randn(1, len(laid), 3), torch.randn(1, len(laid), 4)
    empty = target([], [])
    assert multibox_loss(logits, told, laid, [empty], [answering(laid, empty.places)]) == 0


@pytest.mark.parametrize("size", [(64, 64), (96, 160)])
def test_every_first_box_has_an_answer(size):
    network = Ssd(3, 4).eval()
    with torch.no_grad():
        logits, told, laid = network(torch.zeros(2, 3, *size))
    assert logits.shape == (2, len(laid), 4)
    assert told.shape == (2, len(laid), 4)
