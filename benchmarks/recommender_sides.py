"""The sides of `recommender_speed.py`: each fits a model of its library, or makes lists, and tells what it took."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from interactions import Pairs, ndcg, rmse

LIST_USERS, LIST_ITEMS, LIST_FACTORS, LIST_HISTORY, LIST_K = 10_000, 50_000, 64, 50, 10
_LEAST_SECONDS = 1.0


def fitting(pairs: Pairs, model: str, own: dict[str, Any], run: dict[str, Any]) -> Callable[[], Any]:
    """What fits our model to these pairs: `own` are its settings, `run` those of its run."""
    from headwater import catalog
    from headwater.options import build
    from headwater.recommendation.recommender import Known
    from headwater.run import scratch
    from headwater.settings import Settings

    made = catalog.model_class("recommendation", model)
    known = Known(_interactions(pairs, rated=made.rates))

    def fit() -> Any:
        with scratch(build(Settings, run)) as here:
            return made(build(made.Settings, own)).fit(known, None, here)

    return fit


def _interactions(pairs: Pairs, *, rated: bool = False) -> Any:
    from headwater.recommendation.ids import Ids
    from headwater.recommendation.interactions import Interactions

    ids = Ids(range(pairs.n_users)), Ids(range(pairs.n_items))
    return Interactions(pairs.users, pairs.items, pairs.ratings, None, *ids, rated)


def headwater_fit(
    train: str, test: str, model: str, own: dict[str, Any], run: dict[str, Any], seed: int
) -> dict[str, Any]:  # fmt: skip
    """Our model on the pairs of a file."""
    from headwater.recommendation.interactions import Histories
    from headwater.recommendation.recommender import Asked

    pairs = Pairs.read(train)
    seconds, fitted = _timed(fitting(pairs, model, own, {**run, "seed": seed}))
    if not test:
        return {"seconds": seconds}
    held_out = Pairs.read(test)
    asked = Asked(Histories.of_users(_interactions(pairs)), np.arange(pairs.n_users, dtype=np.int32))
    if fitted.rates:
        answers = fitted.ratings(asked.take(held_out.users), held_out.items)
        return {"seconds": seconds, "rmse": rmse(answers, held_out)}
    return {"seconds": seconds, "ndcg": ndcg(fitted.scores(asked), pairs, held_out)}


def implicit_als(train: str, test: str, seed: int, **told: Any) -> dict[str, Any]:
    """The alternating least squares of implicit, with conjugate gradient and in float32 as ours is."""
    from implicit.cpu.als import AlternatingLeastSquares  # pyrefly: ignore[missing-import]

    pairs = Pairs.read(train)
    matrix = pairs.matrix

    def fit() -> Any:
        model = AlternatingLeastSquares(dtype=np.float32, num_threads=1, random_state=seed, **told)
        model.fit(matrix, show_progress=False)
        return model

    seconds, model = _timed(fit)
    scores = model.user_factors @ model.item_factors.T if test else None
    return {"seconds": seconds} | ({} if scores is None else {"ndcg": ndcg(scores, pairs, Pairs.read(test))})


def implicit_knn(train: str, test: str, seed: int, **told: Any) -> dict[str, Any]:
    """The neighbours of items of implicit by TF-IDF; the seed draws nothing in them."""
    from implicit.nearest_neighbours import TFIDFRecommender  # pyrefly: ignore[missing-import]

    pairs = Pairs.read(train)
    matrix = pairs.matrix

    def fit() -> Any:
        model = TFIDFRecommender(num_threads=1, **told)
        model.fit(matrix, show_progress=False)
        return model

    seconds, model = _timed(fit)
    scores = (matrix @ model.similarity).toarray() if test else None
    return {"seconds": seconds} | ({} if scores is None else {"ndcg": ndcg(scores, pairs, Pairs.read(test))})


def cornac_bpr(train: str, test: str, seed: int, **told: Any) -> dict[str, Any]:
    """Cornac's Bayesian personalised ranking; a seed keeps it to one thread."""
    from cornac.data import Dataset  # pyrefly: ignore[missing-import]
    from cornac.models import BPR  # pyrefly: ignore[missing-import]

    pairs = Pairs.read(train)
    triples = list(zip(pairs.users.tolist(), pairs.items.tolist(), pairs.ratings.tolist(), strict=True))
    rows = Dataset.from_uir(triples, seed=seed)

    def fit() -> Any:
        model = BPR(verbose=False, seed=seed, num_threads=1, **told)
        model.fit(rows)
        return model

    seconds, model = _timed(fit)
    users, items = (
        _places(ids, count) for ids, count in ((rows.uid_map, pairs.n_users), (rows.iid_map, pairs.n_items))
    )
    scores = np.full((pairs.n_users, pairs.n_items), -np.inf, dtype=np.float32)
    known = model.u_factors @ model.i_factors.T + model.i_biases
    scores[np.ix_(users >= 0, items >= 0)] = known[np.ix_(users[users >= 0], items[items >= 0])]
    return {"seconds": seconds, "ndcg": ndcg(scores, pairs, Pairs.read(test))}


def surprise_svd(train: str, test: str, seed: int, **told: Any) -> dict[str, Any]:
    """Surprise's biased matrix factorisation."""
    from surprise import SVD  # pyrefly: ignore[missing-import]

    return _surprise(lambda: SVD(random_state=seed, **told), train, test)


def surprise_svdpp(train: str, test: str, seed: int, **told: Any) -> dict[str, Any]:
    """Surprise's SVD++."""
    from surprise import SVDpp  # pyrefly: ignore[missing-import]

    return _surprise(lambda: SVDpp(random_state=seed, **told), train, test)


def _surprise(make: Callable[[], Any], train: str, test: str) -> dict[str, Any]:
    import pandas as pd
    from surprise import Dataset, Reader  # pyrefly: ignore[missing-import]

    pairs, held_out = Pairs.read(train), Pairs.read(test)
    table = pd.DataFrame({"user": pairs.users, "item": pairs.items, "rating": pairs.ratings})
    rows = Dataset.load_from_df(table, Reader(rating_scale=(1, 5))).build_full_trainset()
    seconds, model = _timed(lambda: make().fit(rows))
    asked = zip(held_out.users.tolist(), held_out.items.tolist(), strict=True)
    return {"seconds": seconds, "rmse": rmse(np.array([model.predict(*pair).est for pair in asked]), held_out)}


def headwater_lists(seed: int) -> dict[str, Any]:
    """Our lists of a model of factors."""
    from headwater.recommendation.factorisation import AlternatingLeastSquares
    from headwater.recommendation.interactions import Histories
    from headwater.recommendation.lists import best, blocks, wanted
    from headwater.recommendation.recommender import Asked

    users, items, histories = _factors(seed)
    model = AlternatingLeastSquares()
    model.users, model.items, model.n_items = users, items, len(items)
    model.biases = np.zeros(len(items), dtype=np.float32)
    asked = Asked(Histories.of_lists(histories.tolist(), len(items)), np.arange(len(users), dtype=np.int32))

    def answer() -> np.ndarray:
        some = [asked.take(rows) for rows in blocks(len(asked), len(items))]
        return np.vstack([best(wanted(model, block, block.histories), LIST_K).items for block in some])

    seconds, found = _timed(answer)
    return {"seconds": seconds, "right": _right(found, users, items, histories)}


def implicit_lists(seed: int) -> dict[str, Any]:
    """The lists of implicit from the same factors."""
    from implicit.cpu.matrix_factorization_base import MatrixFactorizationBase  # pyrefly: ignore[missing-import]
    from scipy import sparse

    users, items, histories = _factors(seed)

    class Model(MatrixFactorizationBase):
        def fit(self, *_: Any, **__: Any) -> None: ...

        def save(self, *_: Any) -> None: ...

    model: Any = Model(num_threads=1)
    model.user_factors, model.item_factors = users, items
    starts = np.arange(len(users) + 1) * histories.shape[1]
    had = sparse.csr_matrix((np.ones(histories.size, np.float32), histories.ravel(), starts), (len(users), len(items)))
    had.sort_indices()
    everyone = np.arange(len(users))
    seconds, found = _timed(lambda: model.recommend(everyone, had, N=LIST_K, filter_already_liked_items=True)[0])
    return {"seconds": seconds, "right": _right(found, users, items, histories)}


def _factors(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    users, items = (
        random.standard_normal((count, LIST_FACTORS), dtype=np.float32) for count in (LIST_USERS, LIST_ITEMS)
    )
    step = LIST_ITEMS // LIST_HISTORY
    histories = np.arange(LIST_HISTORY) * step + random.integers(0, step, (LIST_USERS, LIST_HISTORY))
    return users, items, histories.astype(np.int32)


def _right(found: np.ndarray, users: np.ndarray, items: np.ndarray, histories: np.ndarray) -> float:
    """The share of a hundred users whose lists are those of a whole sort."""
    scores = users[:100] @ items.T
    np.put_along_axis(scores, histories[:100], -np.inf, axis=1)
    return float(np.mean(found[:100] == np.argsort(-scores, axis=1, kind="stable")[:, :LIST_K], axis=1).mean())


def _places(ids: dict[int, int], count: int) -> np.ndarray:
    places = np.full(count, -1)
    places[list(ids)] = list(ids.values())
    return places


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """The mean CPU seconds of one call, and what the last one gave; the first call is not timed."""
    work()
    begun, calls = time.process_time(), 0
    while True:
        done, calls = work(), calls + 1
        spent = time.process_time() - begun
        if spent >= _LEAST_SECONDS:
            return spent / calls, done


SIDES = {
    side.__name__: side
    for side in (
        headwater_fit, headwater_lists, implicit_als, implicit_knn, implicit_lists, cornac_bpr, surprise_svd,
        surprise_svdpp,
    )
}  # fmt: skip
