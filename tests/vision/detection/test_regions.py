from types import SimpleNamespace

import pytest
import torch
from tests.vision.detection.boxes import random_boxes, target
from torch.nn import functional
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.roi_heads import fastrcnn_loss
from torchvision.models.detection.rpn import RegionProposalNetwork
from torchvision.ops import MultiScaleRoIAlign, roi_pool

from headwater.vision.detection import rcnn
from headwater.vision.detection.assignment import drawn, matched
from headwater.vision.detection.fast_rcnn import FastRcnn, FastRcnnSettings
from headwater.vision.detection.faster_rcnn import (
    STRIDES,
    FasterRcnn,
    FasterRcnnSettings,
    ProposalNetwork,
    first_boxes,
    pooled,
    proposing_loss,
)
from headwater.vision.detection.geometry import encode, iou
from headwater.vision.detection.layers import Pyramid
from headwater.vision.detection.rcnn import Rcnn, RcnnSettings, warped
from headwater.vision.detection.regions import WEIGHTS, named_and_placed

SMALL = {"width": 4, "maps": 8, "features": 16}
NETWORKS = [
    FasterRcnn(2, FasterRcnnSettings(**SMALL)),
    FastRcnn(2, FastRcnnSettings(**SMALL)),
    Rcnn(2, RcnnSettings(width=4, side=16)),
]


def rounded(boxes):
    return sorted([round(value, 2) for value in row] for row in boxes.tolist())


def test_naming_and_placing_cost_what_they_cost_in_torchvision():
    torch.manual_seed(0)
    regions, places = random_boxes(20), random_boxes(20, seed=1)
    labels = torch.arange(20) % 4  # 0 is nothing
    logits, told = torch.randn(20, 4), torch.randn(20, 3, 4)
    # torchvision keeps moves of nothing too, before those of the classes.
    whole = torch.cat([torch.zeros(20, 1, 4), told], dim=1).flatten(1)
    expected = fastrcnn_loss(logits, whole, [labels], [encode(places, regions, WEIGHTS)])
    torch.testing.assert_close(named_and_placed(logits, told, regions, labels, places), sum(expected))


def test_proposing_costs_what_it_costs_in_torchvision():
    torch.manual_seed(0)
    boxes, known = random_boxes(30), random_boxes(4, seed=3)
    match = matched(boxes, known, 0.3, 0.7, all_known=True).box
    shown, empty = torch.nonzero(match >= 0)[:, 0], torch.nonzero(match == -1)[:, 0]
    logits, moves = torch.randn(30), torch.randn(30, 4)
    labels = (match >= 0).float()
    labels[match == -2] = -1
    away = encode(known[match.clamp(min=0)], boxes, (1.0, 1.0))
    everything = SimpleNamespace(fg_bg_sampler=lambda given: ([given[0] == 1], [given[0] == 0]))
    expected = RegionProposalNetwork.compute_loss(everything, logits[:, None], moves, [labels], [away])
    ours = proposing_loss(logits, moves, shown, torch.cat([shown, empty]), away[shown])
    torch.testing.assert_close(ours, sum(expected))


def test_first_boxes_are_those_of_torchvision_but_for_its_rounding():
    reference = AnchorGenerator(((32,),), ((0.5, 1.0, 2.0),))
    images = ImageList(torch.zeros(1, 3, 64, 64), [(64, 64)])
    expected = reference(images, [torch.zeros(1, 1, 8, 8)])[0] + 4  # from the corner of a place to its middle
    found = first_boxes((8, 8), 8).unflatten(0, (-1, 6))[:, 3:].flatten(0, 1)
    torch.testing.assert_close(torch.tensor(rounded(found)), torch.tensor(rounded(expected)), atol=0.51, rtol=0)


def test_regions_are_cut_from_the_map_that_torchvision_takes():
    torch.manual_seed(0)
    seen = [torch.randn(2, 3, 512 // stride, 512 // stride) for stride in STRIDES]
    regions = [random_boxes(20, most=500), random_boxes(9, seed=1, most=100)]
    reference = MultiScaleRoIAlign(["0", "1", "2"], 7, 2, canonical_scale=224, canonical_level=4)
    images = [(512, 512)] * 2
    assert pooled(seen, regions).shape == pooled_at(seen, regions, reference, images).shape
    # Its regions begin half a place further, since it does not align them: maps of one value tell which was taken.
    constant = [torch.full_like(maps, float(place)) for place, maps in enumerate(seen)]
    torch.testing.assert_close(pooled(constant, regions), pooled_at(constant, regions, reference, images))


def pooled_at(seen, regions, reference, images):
    return reference({str(place): maps for place, maps in enumerate(seen)}, regions, images)


def test_regions_are_pooled_as_torchvision_pools_them():
    torch.manual_seed(0)
    network = NETWORKS[1].eval()
    maps, regions = torch.randn(2, 8, 8, 8), [random_boxes(4, most=60), random_boxes(3, seed=2, most=60)]
    with torch.no_grad():
        torch.testing.assert_close(network.features(maps, regions), network.dense(roi_pool(maps, regions, 7, 1 / 8)))


def test_a_warped_region_is_a_resized_cut():
    torch.manual_seed(0)
    picture = functional.interpolate(torch.rand(1, 3, 8, 8), (64, 64), mode="bilinear")
    left, top, edge = 20, 12, 24
    around = edge * 227 / 195
    begin = (left + edge / 2 - around / 2, top + edge / 2 - around / 2)
    found = warped(picture, torch.tensor([[left, top, left + edge, top + edge]]).float(), torch.zeros(1), 16)
    places = (torch.arange(16) + 0.5) / 16 * around
    grid = torch.stack(torch.meshgrid(places + begin[0], places + begin[1], indexing="xy"), dim=2) / 32 - 1
    expected = functional.grid_sample(picture, grid[None], align_corners=False)
    torch.testing.assert_close(found, expected, atol=0.05, rtol=0)


def test_what_lies_beside_a_picture_is_the_mean():
    found = warped(torch.ones(1, 3, 64, 64), torch.tensor([[-40.0, 0, -4, 36]]), torch.zeros(1), 8)
    assert (found[..., :6] == 0).all()


def test_regions_are_cut_out_a_few_at_a_time_where_nothing_is_learned(monkeypatch):
    torch.manual_seed(0)
    network, pictures = Rcnn(2, RcnnSettings(width=4, side=16)).eval(), torch.rand(2, 3, 64, 64)
    regions, cut = [random_boxes(150, most=60), random_boxes(170, seed=1, most=60)], []
    monkeypatch.setattr(rcnn, "warped", lambda *given: cut.append(len(given[1])) or warped(*given))
    with torch.no_grad():
        found = network.features(pictures, regions)
        alone = network.features(pictures[1:], regions[1:])
    assert cut == [256, 64, 170]
    torch.testing.assert_close(found[150:], alone, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: type(network).__name__)
def test_pictures_without_boxes_or_regions_are_answered_and_learned_from(network):
    torch.manual_seed(0)
    pictures = torch.rand(2, 3, 64, 64)
    empty, full = target([], []), target([[8, 8, 30, 30]], [1], random_boxes(5, most=60))
    loss = network.train().loss(pictures, [empty, full])
    loss.backward()
    assert loss.isfinite()
    assert network.loss(pictures, [empty, empty]).isfinite()
    with torch.no_grad():
        found = network.eval().guesses(pictures, [full.proposals, full.proposals[:0]])
    assert len(found) == 2
    assert all(len(one.scores) == len(one.labels) == len(one.places) for one in found)


def test_known_boxes_are_regions_too():
    network = NETWORKS[1].train()
    seen = []
    network.register_forward_pre_hook(lambda module, given: seen.append(given[1]))
    network.loss(torch.rand(1, 3, 64, 64), [target([[8, 8, 30, 30]], [1], [[0, 0, 64, 64]])])
    assert sorted(seen[0][0].tolist()) == [[0, 0, 64, 64], [8, 8, 30, 30]]


def test_a_sample_has_its_share():
    torch.manual_seed(0)
    box = torch.tensor([0] * 30 + [-1] * 100 + [-2] * 50)
    shown, empty = drawn(box, 40, 0.25)
    assert (len(shown), len(empty)) == (10, 30)
    assert (box[shown] == 0).all()
    assert (box[empty] == -1).all()
    few = drawn(torch.tensor([0, -1, -1, -2]), 40, 0.25)
    assert [len(part) for part in few] == [1, 2]


def test_a_known_box_gets_the_boxes_that_overlap_it_most():
    boxes, known = random_boxes(50), random_boxes(6, seed=9)
    found = matched(boxes, known, 0.3, 0.99, all_known=True)
    overlaps = iou(boxes, known)
    assert (found.box[overlaps.argmax(dim=0)] >= 0).all()
    assert (matched(boxes, known, 0.3, 0.99, all_known=False).box < 0).all()
    torch.testing.assert_close(found.overlap, overlaps.amax(dim=1))


def test_proposals_lie_within_the_picture_and_do_not_repeat_each_other():
    torch.manual_seed(0)
    network = ProposalNetwork(8, 50).eval()
    seen = [10 * torch.randn(2, 8, 96 // stride, 64 // stride) for stride in STRIDES]
    with torch.no_grad():
        found = network.proposed(seen, network(seen))
    assert len(found) == 2
    for places in found:
        assert 0 < len(places) <= 50
        assert (places[:, [0, 1]] >= 0).all()
        assert (places[:, 2] <= 64).all()
        assert (places[:, 3] <= 96).all()


def test_a_pyramid_of_one_scale_is_the_first_of_three_and_reads_what_earlier_versions_kept():
    made = []
    for scales in (3, 1):
        torch.manual_seed(0)
        made.append((Pyramid(4, 8, scales).eval(), torch.rand(1)))
    (whole, next_draw), (finest, same_draw) = made
    assert torch.equal(next_draw, same_draw)
    pictures = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(finest(pictures)[0], whole(pictures)[0])
        assert len(finest(pictures)) == 1
    former = whole.state_dict()
    again = Pyramid(4, 8, scales=1).eval()
    again.load_state_dict(former)
    assert {name for name in former if name not in again.state_dict()} == {
        name for name in former if name.startswith(("smoothed.1", "smoothed.2"))
    }
    with torch.no_grad():
        assert torch.equal(again(pictures)[0], whole(pictures)[0])
    with pytest.raises(RuntimeError, match="Missing key"):
        whole.load_state_dict(finest.state_dict())


def test_a_pyramid_has_three_scales():
    shapes = [tuple(maps.shape) for maps in Pyramid(4, 8).eval()(torch.zeros(1, 3, 96, 160))]
    assert shapes == [(1, 8, 12, 20), (1, 8, 6, 10), (1, 8, 3, 5)]
