"""What lies in a box that need not be found teaches no network that nothing is there."""

import numpy as np
import pytest
import torch
from tests.vision.detection.boxes import random_boxes, target
from tests.vision.detection.squares import scenes

from headwater.data.boxes import Boxes
from headwater.run import scratch
from headwater.settings import Settings
from headwater.vision.detection.assignment import UNCLEAR, excused, matched
from headwater.vision.detection.fast_rcnn import FastRcnn, FastRcnnSettings
from headwater.vision.detection.faster_rcnn import STRIDES, FasterRcnn, FasterRcnnSettings, ProposalNetwork
from headwater.vision.detection.geometry import mostly_within
from headwater.vision.detection.rcnn import Rcnn, RcnnSettings
from headwater.vision.detection.ssd import Ssd, answering
from headwater.vision.detection.usual import UsualBoxes
from headwater.vision.detection.yolo import Yolo
from headwater.vision.locator import Scenes

SMALL = {"width": 4, "maps": 8, "features": 16}
CROWD = [0.0, 0, 32, 64]
"""The left half of a picture."""
WHOLE = [0.0, 0, 64, 64]
PICTURES = torch.zeros(1, 3, 64, 64)
NETWORKS = [
    Yolo(2, 4, 1),
    Ssd(2, 4),
    FasterRcnn(2, FasterRcnnSettings(**SMALL)),
    FastRcnn(2, FastRcnnSettings(**SMALL)),
    Rcnn(2, RcnnSettings(width=4, side=16)),
]
NAMES = [type(network).__name__ for network in NETWORKS]


def gradient(network, pardoned, place=(40, 8, 60, 28)):
    """How strongly each place of a network learns its name, shape (places,), and the places themselves."""
    with torch.no_grad():
        logits, told, places = network.eval()(PICTURES)
    torch.manual_seed(0)
    logits = torch.randn_like(logits).requires_grad_()
    known = target([place], [1], pardoned=pardoned)
    network.forward = lambda pictures: (logits, told, places)
    try:
        network.loss(PICTURES, [known]).backward()
    finally:
        del network.forward
    return logits.grad[0].abs().sum(dim=1), places


def test_cells_of_yolo_in_a_pardoned_box_learn_nothing():
    plain, cells = gradient(NETWORKS[0], [])
    found, _ = gradient(NETWORKS[0], [CROWD])
    centres = (cells[:, :2] + cells[:, 2:]) / 2
    inside = centres[:, 0] < 32
    assert inside.sum() == 42
    assert (plain > 0).all()
    assert (found[inside] == 0).all()
    torch.testing.assert_close(found[~inside], plain[~inside])


def test_cells_of_yolo_that_answer_for_a_known_box_learn_in_a_pardoned_one_too():
    plain, _ = gradient(NETWORKS[0], [], (4, 8, 24, 28))
    found, _ = gradient(NETWORKS[0], [WHOLE], (4, 8, 24, 28))
    assert (found > 0).sum() == 10
    torch.testing.assert_close(found[found > 0], plain[found > 0])


def test_a_pardoned_box_smaller_than_a_cell_spares_the_cells_that_might_find_it():
    found, cells = gradient(NETWORKS[0], [[31.0, 31, 33, 33]])
    fine = cells[:, 2] - cells[:, 0] == 8
    assert (found[fine] == 0).sum() == 4


def test_first_boxes_of_ssd_in_a_pardoned_box_learn_nothing():
    plain, laid = gradient(NETWORKS[1], [])
    found, _ = gradient(NETWORKS[1], [CROWD])
    inside = mostly_within(laid, torch.tensor([CROWD]))
    shown = answering(laid, torch.tensor([[40.0, 8, 60, 28]])).box >= 0
    assert (plain[inside] > 0).any()
    assert (found[inside & ~shown] == 0).all()
    # The others are the harder ones of what is left, as many as before.
    assert (found > 0).sum() == (plain > 0).sum()
    assert (found[shown] > 0).all()


def test_a_first_box_that_is_half_of_a_known_one_is_its_own_in_a_pardoned_box_too():
    boxes, known = random_boxes(50), random_boxes(4, seed=9)
    found = matched(boxes, known, 0.3, 0.7, all_known=True)
    spared = excused(found, boxes, torch.tensor([[0.0, 0, 90, 90]]))
    assert (spared.box[found.box < 0] == UNCLEAR).all()
    assert (spared.box[found.box >= 0] == found.box[found.box >= 0]).all()
    assert excused(found, boxes, torch.empty(0, 4)) is found


def test_first_boxes_of_a_proposal_network_in_a_pardoned_box_learn_nothing():
    network = ProposalNetwork(8, 50)
    seen = [torch.randn(1, 8, 64 // stride, 64 // stride) for stride in STRIDES]
    told = [type(one)(one.logits.detach().requires_grad_(), one.moves.detach(), one.boxes) for one in network(seen)]
    network.forward = lambda given: told
    loss, _ = network.learned(seen, [target([[40, 8, 60, 28]], [1], pardoned=[CROWD])])
    loss.backward()
    learned = torch.cat([one.logits.grad[0] != 0 for one in told])
    boxes = torch.cat([one.boxes for one in told])
    inside = mostly_within(boxes, torch.tensor([CROWD])) & (
        matched(boxes, torch.tensor([[40.0, 8, 60, 28]]), 0.3, 0.7, all_known=True).box < 0
    )
    assert inside.sum() > 100
    assert not learned[inside].any()
    assert learned[~inside].any()


@pytest.mark.parametrize("network", NETWORKS[2:], ids=NAMES[2:])
def test_regions_in_a_pardoned_box_are_not_learned_from(network):
    seen = []
    hook = network.register_forward_pre_hook(lambda module, given: seen.append(torch.cat(list(given[1]))))
    proposals = [[2, 2, 20, 20], [40, 40, 60, 60], [36, 8, 60, 28]]
    torch.manual_seed(0)
    network.train().loss(torch.rand(1, 3, 64, 64), [target([[40, 8, 60, 28]], [1], proposals, [CROWD])])
    hook.remove()
    assert len(seen[0])
    assert not mostly_within(seen[0], torch.tensor([CROWD])).any()


@pytest.mark.parametrize("network", NETWORKS, ids=NAMES)
def test_a_picture_that_is_pardoned_in_whole_costs_nothing(network):
    torch.manual_seed(0)
    proposals = random_boxes(5, most=60)
    # First boxes of which less than a half lies within the picture still show that nothing is beside it.
    around = [-200.0, -200, 264, 264]
    loss = network.train().loss(torch.rand(2, 3, 64, 64), [target([], [], proposals, [around])] * 2)
    loss.backward()
    assert float(loss.detach()) == 0


@pytest.mark.parametrize("mark", ["difficult", "crowd"])
def test_the_baseline_does_not_answer_what_need_not_be_found(mark):
    given = scenes(2)
    one = given.answers[0]
    more = Boxes(
        np.concatenate([one.places, [[0, 0, 64, 64]]]).astype(np.float32), np.append(one.labels, 1),
        **{mark: np.arange(len(one) + 1) == len(one)},
    )  # fmt: skip
    with scratch(Settings()) as run:
        plain, found = (
            UsualBoxes().fit(Scenes(given.inputs, [first, given.answers[1]], 2), Scenes([], [], 2), run)
            for first in (one, more)
        )
    np.testing.assert_array_equal(found.boxes.places, plain.boxes.places)
    np.testing.assert_array_equal(found.boxes.scores, plain.boxes.scores)
