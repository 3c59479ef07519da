"""The index over the vectors of items."""

import os

import numpy as np
import pytest

import headwater
from headwater.foundation.cache import make_room
from headwater.recommendation.asking import Wish
from headwater.recommendation.factors import FactorModel
from headwater.recommendation.interactions import Histories
from headwater.serving import nearest
from headwater.serving.nearest import Nearest
from headwater.serving.recommending import Recommending
from headwater.serving.settings import ServeSettings


class Drawn(FactorModel):
    """Vectors by chance; somebody new is the sum of the items."""

    def fit(self, known, held_out, run):
        raise AssertionError("nothing is learnt here")

    def folded(self, histories):
        return histories.matrix() @ self.items


def _vectors(items, factors=8):
    random = np.random.default_rng(0)
    biases = random.normal(size=items).astype(np.float32)
    biases[::10] = -np.inf
    return random.normal(size=(items, factors)).astype(np.float32), biases


def test_nearly_all_of_the_best_are_found_and_scored_exactly(tmp_path):
    items, biases = _vectors(3000)
    users = np.random.default_rng(1).normal(size=(50, 8)).astype(np.float32)
    exact = users @ items.T + biases
    right = 0
    for row, found in enumerate(Nearest.of(items, biases, tmp_path).best(users, None, 10)):
        assert [score for _, score in found] == pytest.approx(exact[row, [item for item, _ in found]], rel=1e-4)
        right += len({item for item, _ in found} & set(np.argsort(-exact[row])[:10].tolist()))
    assert right >= 495


def test_what_was_seen_and_what_nobody_had_to_do_with_is_not_found(tmp_path):
    items, biases = _vectors(200)
    users = np.random.default_rng(2).normal(size=(1, 8)).astype(np.float32)
    index = Nearest.of(items, biases, tmp_path)
    best = [item for item, _ in index.best(users, None, 5)[0]]
    others = [item for item, _ in index.best(users, Histories.of_lists([best], 200), 300)[0]]
    assert set(best).isdisjoint(others)
    assert len(others) == 180 - 5
    assert not any(item % 10 == 0 for item in others)


def test_an_index_is_built_once_for_the_same_vectors(tmp_path, monkeypatch):
    items, biases = _vectors(300)
    first = Nearest.of(items, biases, tmp_path)
    content = next(tmp_path.iterdir()).read_bytes()
    monkeypatch.setattr("usearch.index.Index.add", lambda *_, **__: pytest.fail("built again"))
    again = Nearest.of(items, biases, tmp_path)
    assert again.best(items[:3], None, 5) == first.best(items[:3], None, 5)
    monkeypatch.undo()
    Nearest.of(items * 2, biases, tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
    assert content in [path.read_bytes() for path in tmp_path.iterdir()]


def test_a_served_model_of_factors_answers_out_of_the_index_as_without_it(shop, tmp_path, monkeypatch):
    monkeypatch.setenv("HEADWATER_CACHE", str(tmp_path))
    application = headwater.load(shop)
    model = application.recommender = Drawn()
    model.items, model.biases = _vectors(30)
    model.users, model.n_items = np.random.default_rng(3).normal(size=(40, 8)).astype(np.float32), 30
    everything = tuple(f"i{item}" for item in range(30))
    wishes = [Wish("u1"), Wish("nobody"), Wish("u4", ("i3",)), Wish(None, ("i2", "i5")), Wish(None, everything)]
    service = Recommending(application, ServeSettings(index_from=1))
    found, why_not = service._looked_up(wishes, 5, None)
    lists, reasons = application.lists(wishes, k=5)
    assert why_not == reasons
    for one, other in zip(found, lists, strict=True):
        assert [item["item"] for item in one or ()] == [item["item"] for item in other or ()]
        assert [item["score"] for item in one or ()] == pytest.approx([item["score"] for item in other or ()], rel=1e-4)
    assert Recommending(application, ServeSettings(index_from=31)).nearest is None
    told = service._looked_up(wishes[:1], 5, np.arange(30) < 6)[0][0]
    assert {item["item"] for item in told} <= {str(application.kept.item_ids[place]) for place in range(6)}
    service.close()


def test_indexes_that_were_not_used_for_longest_make_room_for_others(tmp_path, monkeypatch):
    items, biases = _vectors(50)
    made = {}
    for number in (1, 2, 3):
        Nearest.of(number * items, biases, tmp_path)
        made[number] = next(file for file in tmp_path.iterdir() if file not in made.values())
        os.utime(made[number], (number, number))
    Nearest.of(1 * items, biases, tmp_path)
    most = sum(file.stat().st_size for file in made.values())
    monkeypatch.setattr(nearest, "make_room", lambda files: make_room(files, most))
    Nearest.of(4 * items, biases, tmp_path)
    assert len(list(tmp_path.iterdir())) == 3
    assert not made[2].exists()


def test_an_index_in_a_folder_that_is_only_to_be_read_is_read(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError

    items, biases = _vectors(50)
    first = Nearest.of(items, biases, tmp_path)
    monkeypatch.setattr(os, "utime", refuse)
    monkeypatch.setattr("usearch.index.Index.add", lambda *_, **__: pytest.fail("built again"))
    assert Nearest.of(items, biases, tmp_path).best(items[:3], None, 5) == first.best(items[:3], None, 5)
