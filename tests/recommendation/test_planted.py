"""What every model of neighbours and of factors must do, found by two groups of people with tastes of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.recommendation.planted import COLD_ITEM, COLD_USER, everyone, fitted, found_share, planted
from tests.recommendation.shelves import run_in

from headwater.recommendation.epochs import epochs
from headwater.recommendation.factorisation import (
    AlsSettings,
    AlternatingLeastSquares,
    BayesianPersonalisedRanking,
    BprSettings,
)  # fmt: skip
from headwater.recommendation.factors import FactorModel
from headwater.recommendation.interactions import Histories
from headwater.recommendation.machines import (
    FactorisationMachine,
    FieldAwareMachine,
    FieldMachineSettings,
    MachineSettings,
)  # fmt: skip
from headwater.recommendation.neighbours import ItemNeighbours, UserNeighbours
from headwater.recommendation.ratings import (
    BiasedFactorisation,
    ImplicitBiasedFactorisation,
    SvdppSettings,
    SvdSettings,
)  # fmt: skip
from headwater.recommendation.recommender import Asked, Known, Recommender

MAKERS: dict[str, Callable[[], Recommender]] = {
    "item-knn": ItemNeighbours,
    "user-knn": UserNeighbours,
    "als": lambda: AlternatingLeastSquares(AlsSettings(factors=6)),
    "bpr": lambda: BayesianPersonalisedRanking(BprSettings(factors=6)),
    "svd": lambda: BiasedFactorisation(SvdSettings(factors=6)),
    "svdpp": lambda: ImplicitBiasedFactorisation(SvdppSettings(factors=6)),
    "fm": lambda: FactorisationMachine(MachineSettings(factors=6)),
    "ffm": lambda: FieldAwareMachine(FieldMachineSettings(factors=3)),
}
RATED = ("svd", "svdpp")
MANY = {"bpr": 60, "svd": 60, "svdpp": 60, "fm": 60, "ffm": 60}
every_model = pytest.mark.parametrize("name", MAKERS)


def _fitted(name: str, folder: Path, **settings: int) -> Recommender:
    known = planted(rated=True) if name in RATED else None
    asked = {"epochs": MANY[name], **settings} if name in MANY else settings
    return fitted(MAKERS[name], folder, known, **asked)


def _asked(name: str) -> Asked:
    return everyone(planted(rated=name in RATED))


@every_model
def test_finds_the_groups(name: str, tmp_path: Path):
    model, asked = _fitted(name, tmp_path), _asked(name)
    scores = model.scores(asked)
    assert scores.dtype == np.float32
    assert scores.shape == (len(asked), model.n_items)
    assert found_share(scores) > 0.9
    assert found_share(model.scores(Asked.new(asked.histories))) > 0.9


@every_model
def test_is_the_same_after_load_and_with_the_same_seed(name: str, tmp_path: Path):
    asked = _asked(name)
    for folder in ("first", "again", "kept"):
        (tmp_path / folder).mkdir()
    model, again = _fitted(name, tmp_path / "first"), _fitted(name, tmp_path / "again")
    model.save(tmp_path / "kept")
    loaded = type(model).load(tmp_path / "kept")
    for request in (asked, Asked.new(asked.histories)):
        np.testing.assert_array_equal(again.scores(request), model.scores(request))
        np.testing.assert_array_equal(loaded.scores(request), model.scores(request))


@every_model
def test_a_second_fit_knows_nothing_of_the_first(name: str, tmp_path: Path):
    settings, rated = ({"epochs": 2} if name in MANY else {}), name in RATED
    model, fresh = MAKERS[name](), MAKERS[name]()
    for seed, learner in ((0, model), (1, model), (1, fresh)):
        known, folder = planted(seed, rated=rated), tmp_path / f"{seed}{learner is model}"
        folder.mkdir()
        learner.fit(Known(known), None, run_in(folder, **settings))
        asked = everyone(known)
        learner.scores(Asked.new(asked.histories))
    for request in (asked, Asked.new(asked.histories)):
        np.testing.assert_array_equal(model.scores(request), fresh.scores(request))


@every_model
def test_a_row_does_not_depend_on_the_others_and_nothing_is_changed(name: str, tmp_path: Path):
    model, new = _fitted(name, tmp_path), Asked.new(_asked(name).histories)
    before = [part.copy() for part in (new.histories.items, new.histories.values, new.users)]
    together = model.scores(new)
    alone = np.vstack([model.scores(new.take(np.array([row]))) for row in (0, 5, COLD_USER)])
    np.testing.assert_allclose(alone, together[[0, 5, COLD_USER]], rtol=1e-4, atol=1e-5)
    for part, was in zip((new.histories.items, new.histories.values, new.users), before, strict=True):
        np.testing.assert_array_equal(part, was)


@every_model
def test_people_without_a_history_and_items_without_interactions(name: str, tmp_path: Path):
    model, asked = _fitted(name, tmp_path), _asked(name)
    scores = model.scores(asked)
    assert not np.isnan(scores).any()
    assert np.isfinite(scores[:, :COLD_ITEM]).all()
    assert np.isfinite(scores[:, COLD_ITEM]).all() if model.cold else (scores[:, COLD_ITEM] == -np.inf).all()
    known = planted(rated=name in RATED)
    liked = np.bincount(known.items, known.values, minlength=COLD_ITEM)[:COLD_ITEM]
    given = liked / np.bincount(known.items)[:COLD_ITEM] if name in RATED else liked
    empty = Asked.new(Histories.of_lists([[]], model.n_items))
    assert np.corrcoef(model.scores(empty)[0, :COLD_ITEM], given)[0, 1] > 0.3


@every_model
def test_a_model_of_factors_gives_them(name: str, tmp_path: Path):
    model, asked = _fitted(name, tmp_path), _asked(name)
    if isinstance(model, FactorModel):
        users, items, biases = model.factors(asked)
        np.testing.assert_allclose(users @ items.T + biases, model.scores(asked), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["als", *MANY])
def test_a_killed_run_goes_on_where_it_stood(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "whole").mkdir()
    (tmp_path / "killed").mkdir()
    asked, settings = _asked(name), {"epochs": 6, "checkpoint_seconds": 0}
    whole = _fitted(name, tmp_path / "whole", **settings).scores(asked)
    done: list[int] = []

    def dying(*given):
        for number in epochs(*given):
            if len(done) == 4:
                raise KeyboardInterrupt
            done.append(number)
            yield number

    module = type(MAKERS[name]()).__module__
    with monkeypatch.context() as patched:
        patched.setattr(f"{module}.epochs", dying)
        with pytest.raises(KeyboardInterrupt):
            _fitted(name, tmp_path / "killed", **settings)
    np.testing.assert_array_equal(_fitted(name, tmp_path / "killed", **settings).scores(asked), whole)
    assert done == [0, 1, 2, 3]


def test_people_without_interactions_are_known_by_their_columns(tmp_path: Path):
    asked = everyone(planted())
    for name in ("fm", "ffm"):
        scores = _fitted(name, tmp_path).scores(asked)
        own, other = scores[COLD_USER, 0:COLD_ITEM:2], scores[COLD_USER, 1:COLD_ITEM:2]
        assert own.mean() > other.mean()
        gain = scores[0:COLD_USER:2, COLD_ITEM].mean() - scores[1:COLD_USER:2, COLD_ITEM].mean()
        assert gain > 0


def test_it_says_what_it_takes_where_the_run_leaves_it_open(tmp_path: Path):
    settings = run_in(tmp_path).settings
    told = BayesianPersonalisedRanking.completed(settings, 100)
    assert (told.epochs, told.learning_rate) == (50, 0.1)
    told = AlternatingLeastSquares.completed(run_in(tmp_path, epochs=3).settings, 100)
    assert (told.epochs, told.learning_rate) == (3, None)


def test_negatives_as_often_as_they_occur(tmp_path: Path):
    model = BayesianPersonalisedRanking(BprSettings(factors=6, negatives="popular"))
    model.fit(Known(planted()), None, run_in(tmp_path, epochs=60))
    assert found_share(model.scores(everyone(planted()))) > 0.9
    assert model.often().tolist() == np.bincount(planted().items, minlength=COLD_ITEM + 1).tolist()
