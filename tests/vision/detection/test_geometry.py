import pytest
import torch
from torchvision import ops
from torchvision.models.detection._utils import BoxCoder

from headwater.vision.detection.geometry import areas, best, ciou, clipped, decode, encode, giou, iou


def boxes(count, seed=0):
    torch.manual_seed(seed)
    start = torch.rand(count, 2) * 50
    return torch.cat([start, start + 1 + torch.rand(count, 2) * 40], dim=1)


FIRST, SECOND = boxes(40), boxes(40, seed=1)


def test_overlaps_are_those_of_torchvision():
    torch.testing.assert_close(iou(FIRST, SECOND[:7]), ops.box_iou(FIRST, SECOND[:7]))
    torch.testing.assert_close(giou(FIRST, SECOND), ops.generalized_box_iou(FIRST, SECOND).diag())
    torch.testing.assert_close(1 - ciou(FIRST, SECOND), ops.complete_box_iou_loss(FIRST, SECOND))
    torch.testing.assert_close(areas(FIRST), ops.box_area(FIRST))


def test_the_gradient_of_ciou_is_that_of_torchvision():
    one, other = FIRST.clone().requires_grad_(), FIRST.clone().requires_grad_()
    (1 - ciou(one, SECOND)).sum().backward()
    ops.complete_box_iou_loss(other, SECOND).sum().backward()
    torch.testing.assert_close(one.grad, other.grad)


@pytest.mark.parametrize("measure", [giou, ciou])
def test_a_box_of_no_extent_has_a_finite_gradient(measure):
    flat = torch.zeros(1, 4, requires_grad=True)
    measure(flat, torch.tensor([[0.0, 0, 4, 4]])).sum().backward()
    assert flat.grad.isfinite().all()


def test_boxes_are_told_as_torchvision_tells_them():
    coder = BoxCoder((10.0, 10.0, 5.0, 5.0))
    told = encode(FIRST, SECOND, (10.0, 5.0))
    torch.testing.assert_close(told, coder.encode_single(FIRST, SECOND))
    torch.testing.assert_close(decode(told, SECOND, (10.0, 5.0)), coder.decode_single(told, SECOND))
    torch.testing.assert_close(decode(told, SECOND, (10.0, 5.0)), FIRST)


def test_a_wild_growth_stays_finite():
    wild = torch.tensor([[0.0, 0, 1e4, 1e4]])
    found = decode(wild, FIRST[:1], (1.0, 1.0))
    assert found.isfinite().all()
    torch.testing.assert_close(found, BoxCoder((1.0,) * 4).decode_single(wild, FIRST[:1]))


def test_boxes_are_cut_at_the_edges_of_a_picture():
    assert clipped(torch.tensor([[-3.0, 2, 90, 40]]), 30, 60).tolist() == [[0, 2, 60, 30]]


def test_the_best_are_those_of_a_plain_loop():
    places, labels = boxes(60, seed=2), torch.arange(60) % 3
    torch.manual_seed(0)
    scores = torch.rand(60)
    left, kept = scores.argsort(descending=True).tolist(), []
    overlap = ops.box_iou(places, places)
    while left:
        first = left.pop(0)
        kept.append(first)
        left = [one for one in left if labels[one] != labels[first] or overlap[first, one] <= 0.3]
    assert best(places, scores, labels, 0.3, 100).tolist() == kept
    assert best(places, scores, labels, 0.3, 5).tolist() == kept[:5]
    assert 5 < len(kept) < 60
