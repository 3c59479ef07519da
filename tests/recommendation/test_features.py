import numpy as np
import pytest
import torch
from tests.recommendation.tastes import COLD, films, known, people, run_in
from tests.tiny import make_bert

from headwater.data.pictures import Picture
from headwater.recommendation import features, inputs
from headwater.recommendation.features import CnnFeatures, FeatureSettings
from headwater.recommendation.ids import Ids
from headwater.recommendation.interactions import Histories
from headwater.recommendation.recommender import NEW, Asked, Known
from headwater.recommendation.towers import UserTower

HAD = Histories.of_lists([[0, 2, 8], [1, 3, 9], []], n_items=20)
QUICK = {"epochs": 12, "learning_rate": 0.02, "patience": 12, "batch_size": 8}


def fitted(tmp_path, world, **settings):
    told = FeatureSettings(**{"width": 8, "dropout": 0.0, "encoder": None, **settings})
    return CnnFeatures(told).fit(world, None, run_in(tmp_path / "run", **QUICK))


def covers():
    shades = [np.full((40, 40, 3), 250 if item % 2 else 10, np.uint8) for item in range(20)]
    return [Picture.of(shade).content for shade in shades]


def knows_tastes(model):
    scores = model.scores(Asked.new(HAD))
    assert np.isfinite(scores).all()
    for warm, grim in (COLD, (10, 11)):
        assert scores[0, warm] - scores[0, grim] > scores[1, warm] - scores[1, grim]


def test_word_vectors_tell_tastes(tmp_path):
    model = fitted(tmp_path, known())
    assert set(model.network["things"].towers) == {"words"}
    knows_tastes(model)


def test_pictures_alone_tell_tastes(tmp_path):
    bare = films(cover=covers())
    bare = bare.__class__(bare.table.select(["item", "cover"]))
    model = fitted(tmp_path, Known(known().interactions, bare))
    assert set(model.network["things"].towers) == {"picture"}
    knows_tastes(model)


def test_a_frozen_encoder_and_pictures_stand_side_by_side(tmp_path):
    world = Known(known().interactions, films(cover=covers()))
    model = fitted(tmp_path, world, encoder=str(make_bert(tmp_path / "bert")), candidates=6)
    assert set(model.network["things"].towers) == {"text", "picture"}
    knows_tastes(model)


def test_what_is_known_of_a_user_counts_for_those_learnt_from(tmp_path):
    model = fitted(tmp_path, known())
    empty = Histories.of_lists([[], [], []], n_items=20)
    first, other, new = model.scores(Asked(empty, np.array([0, 1, NEW], np.int32)))
    assert np.abs(first - other).max() > 1e-3
    np.testing.assert_allclose(new, model.scores(Asked.new(empty))[0])
    bare = fitted(tmp_path / "bare", Known(known().interactions, films()))
    told = bare.scores(Asked(empty, np.array([0, 1, NEW], np.int32)))
    np.testing.assert_allclose(told[0], told[2], atol=1e-6)


def test_facts_of_users_are_directions_of_their_words():
    found = inputs.facts_of(people(), known().interactions.user_ids, 0)
    assert found.shape[0] == 24
    np.testing.assert_allclose(found[0], found[2], atol=1e-5)
    assert np.abs(found[0] - found[1]).max() > 0.1
    assert inputs.facts_of(None, Ids([1, 2, 3]), 0).tolist() == [[0], [0], [0]]


def test_histories_are_parted_into_what_is_given_and_what_is_told():
    histories = Histories.of_lists([[5], list(range(10)), [7, 8]], n_items=20)
    given, rows, items = features._parted(histories, np.random.default_rng(0))
    assert given.lengths.tolist() == [1, 5, 1]
    assert rows.tolist() == [1] * 5 + [2]
    for row in range(3):
        assert sorted([*given.of(row), *items[rows == row]]) == sorted(histories.of(row))


def test_candidates_are_all_items_or_the_targets_and_some(tmp_path):
    model = fitted(tmp_path, known(), candidates=6)
    model.inputs = {}
    learner = features._TowerLearner(model, Histories.of_users(known().interactions), None)
    draw, share = np.random.default_rng(0), learner.share
    candidates, chances = learner._candidates(np.array([1, 1, 3]), draw)
    assert {1, 3} <= set(candidates)
    assert not {*COLD} & set(candidates)
    assert len(candidates) <= 8
    np.testing.assert_allclose(chances, 1 - (1 - 6 / 18) * (1 - share[candidates]) ** 3)
    # Such a chance is how often an item is among them.
    among, told = np.zeros(20), np.zeros(20)
    for _ in range(4000):
        candidates, chances = learner._candidates(draw.choice(20, 5, p=share), draw)
        among[candidates] += 1
        told[candidates] = chances
    np.testing.assert_allclose(among / 4000, told, atol=0.03)
    model.settings = FeatureSettings(candidates=18)
    assert learner._candidates(np.array([1, 1, 3]), draw)[1].tolist() == [1.0] * 18


def test_what_is_likely_among_the_candidates_counts_less(tmp_path, monkeypatch):
    model = fitted(tmp_path, known())
    model.inputs = model._read(known(), run_in(tmp_path / "run").settings)
    model.network.eval()
    learner = features._TowerLearner(model, Histories.of_users(known().interactions), None)
    candidates, chances = np.array([0, 2, 3]), np.array([0.9, 0.5, 0.1])
    given = Histories.of_lists([[1]], n_items=20)
    monkeypatch.setattr(features, "_parted", lambda *_: (given, np.array([0]), np.array([2])))
    monkeypatch.setattr(features._TowerLearner, "_candidates", lambda *_: (candidates, chances))
    monkeypatch.setattr(model, "facts_for", lambda users: np.zeros((1, model.facts_of_users.shape[1]), np.float32))
    scores = model.scores(Asked.new(given))[0, candidates] - np.log(chances)
    expected = np.log(np.exp(scores).sum()) - scores[1]
    assert learner.loss(np.array([0])).item() == pytest.approx(expected, rel=1e-4)


def test_a_user_is_the_sum_of_a_history_over_the_root_of_its_length():
    torch.manual_seed(0)
    tower = UserTower(items=4, facts=1, width=3, dropout=0.5).eval()
    had, facts = tower.had.weight, torch.tensor([[1.0], [0.0], [2.0]])
    sums = torch.stack([(had[0] + had[2]) / 2**0.5, torch.zeros(3), had[3]]) + tower.facts(facts)
    found = tower(torch.tensor([0, 2, 3]), torch.tensor([0, 2, 2, 3]), facts)
    torch.testing.assert_close(found, sums + tower.dense(sums))


def test_rare_words_share_a_number():
    assert inputs.numbered(["war film", "war", "", "boat film"]).tolist() == [[2, 3], [2, 0], [0, 0], [1, 3]]


def test_items_without_a_picture_are_grey():
    found = inputs.pixels_of([None, Picture.of(np.full((9, 9, 3), 7, np.uint8))], 4)
    assert found.shape == (2, 4, 4, 3)
    assert np.unique(found[0]).tolist() == [127]
    assert np.unique(found[1]).tolist() == [7]


@pytest.mark.parametrize("encoder", [None, "bert"])
def test_a_loaded_model_answers_without_the_items_table(encoder, tmp_path):
    encoder = encoder and str(make_bert(tmp_path / encoder))
    model = fitted(tmp_path, known(), encoder=encoder)
    folder = tmp_path / "saved"
    folder.mkdir()
    model.save(folder)
    loaded = CnnFeatures.load(folder)
    assert [name for name in loaded.arrays() if "things" in name] == []
    np.testing.assert_allclose(loaded.scores(Asked.new(HAD)), model.scores(Asked.new(HAD)), atol=1e-6)
