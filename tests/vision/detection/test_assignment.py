import pytest
import torch

from headwater.vision.detection.assignment import Padded, task_aligned
from headwater.vision.detection.scenes import Target
from headwater.vision.detection.yolo import squares

CELLS = squares((8, 8), 8)


def target(places, labels):
    return Target(torch.tensor(places).reshape(-1, 4), torch.tensor(labels).long(), torch.empty(0, 4))


def assigned(targets, boxes=None, sure=None, most=10):
    pictures = len(targets)
    boxes = CELLS.expand(pictures, -1, -1) if boxes is None else boxes
    sure = torch.full((pictures, len(CELLS), 2), 0.5) if sure is None else sure
    return task_aligned(sure, boxes, CELLS, Padded.of(targets), most)


def test_targets_of_different_length_are_padded():
    known = Padded.of([target([], []), target([[0.0, 0, 8, 8], [8, 8, 16, 16]], [1, 0])])
    assert known.places.shape == (2, 2, 4)
    assert known.known.tolist() == [[False, False], [True, True]]


def test_the_best_placed_prediction_is_to_be_as_sure_as_it_overlaps():
    found = assigned([target([[8.0, 8, 16, 14]], [1])])
    assert found.share[0].argmax() == 9
    assert found.share[0, 9] == pytest.approx(0.75)
    others = found.share[0].clone()
    others[9] = 0
    assert others.max() < 0.01


def test_only_so_many_cells_that_are_near_answer():
    boxes = torch.tensor([8.0, 8, 40, 40]).expand(2, 64, 4)
    found = assigned([target([[8.0, 8, 40, 40]], [0]), target([], [])], boxes)
    centres = (CELLS[:, :2] + CELLS[:, 2:]) / 2
    chosen = centres[found.share[0] > 0]
    assert len(chosen) == 16  # all are alike, and none of those within is left out
    assert ((chosen > 8) & (chosen < 40)).all()
    assert (found.share[1] == 0).all()
    sure = torch.rand(2, 64, 2)
    found = assigned([target([[8.0, 8, 40, 40]], [0]), target([], [])], boxes, sure, most=5)
    within = ((centres > 8) & (centres < 40)).all(dim=1)
    expected = torch.where(within, sure[0, :, 0], -1.0).topk(5).indices
    assert sorted(found.share[0].nonzero()[:, 0].tolist()) == sorted(expected.tolist())
    assert found.share[0, expected[0]] == pytest.approx(1.0)


def test_a_box_smaller_than_a_cell_is_answered():
    found = assigned([target([[30.0, 30, 33, 33]], [0])])
    assert (found.share > 0).any()


def test_a_prediction_of_two_boxes_keeps_the_nearer():
    boxes = torch.tensor([0.0, 0, 16, 16]).expand(1, 64, 4)
    found = assigned([target([[0.0, 0, 16, 12], [0.0, 0, 16, 16]], [0, 1])], boxes)
    assert (found.box[found.share > 0] == 1).all()


def test_no_box_at_all_asks_for_nothing():
    found = assigned([target([], [])] * 2)
    assert found.share.shape == (2, 64)
    assert not found.share.any()


def test_the_surer_of_two_that_are_placed_alike_is_preferred():
    boxes, sure = torch.tensor([8.0, 8, 40, 40]).expand(1, 64, 4), torch.full((1, 64, 2), 0.1)
    sure[0, 18, 1] = 0.9
    found = assigned([target([[8.0, 8, 40, 40]], [1])], boxes, sure)
    assert found.share[0].argmax() == 18
