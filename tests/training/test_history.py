import json
import math
from dataclasses import asdict

from headwater.training.history import Epoch, History, Position


def epoch(number, score):
    return Epoch(epoch=number, step=number, loss=0.5, score=score, learning_rate=0.1, seconds=1.0)


def test_the_best_epoch_is_the_first_of_the_highest_score():
    history = History()
    assert [history.add(epoch(n, score)) for n, score in enumerate([0.1, 0.5, 0.5, 0.4], 1)] == [
        True,
        True,
        False,
        False,
    ]
    assert (history.best_epoch, history.best_score) == (2, 0.5)


def test_any_score_beats_none():
    history = History()
    assert history.add(epoch(1, -math.inf))
    assert history.add(epoch(2, -3.0))
    assert history.best_epoch == 2


def test_a_position_survives_json():
    position = Position(token_budget=64, epoch=1, step=3, loss=0.1 + 0.2, history=History(stopped=""))
    position.history.add(epoch(1, 0.5))
    assert Position.from_json(json.loads(json.dumps(asdict(position)))) == position
