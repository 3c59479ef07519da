"""`headwater compare`: how often it claims a difference where there is none, and finds one where there is.

None: the training rows of one set are drawn in two random halves of 200 rows, 100 times; every claim is false. There is
one: 200 rows of one Amazon domain and 200 of another, all six pairs, five draws each. A difference is claimed as
`compare` does it, at p < 0.01. The features of `minilm` are computed once for a pool of 600 rows a set (256 tokens a
text) from which all draws come; those of `tfidf-logistic` are found anew in each draw. The proxy A-distance runs from 0
(alike) to 2 (fully apart).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import data
from harness import Bench, Measured, Stopwatch, main
from results import Table, publish

if TYPE_CHECKING:
    import numpy as np

SETS = ("amazon_books", "sst2", "ag_news_small")
MODELS = ("minilm", "tfidf-logistic")
ROWS, POOL, MAX_LENGTH = 200, 600, 256


def halves(pool: str, model: str, rows: int, draws: int) -> dict[str, Any]:
    """Two random halves of one set, many times."""
    import numpy as np

    from headwater.transfer import distance

    texts = data.read(pool)[0]
    see = _view(texts, model)
    found = []
    with Stopwatch() as watch:
        for seed in range(draws):
            drawn = np.random.default_rng(seed).permutation(len(texts))[: 2 * rows]
            features = see(drawn)
            found.append(distance.measure(features[:rows], features[rows:], seed=seed))
    return {
        "claimed": [one.differs for one in found],
        "p": [one.p for one in found],
        "proxy": [one.proxy.value for one in found],
        "cpu_seconds_a_draw": watch.cpu_seconds / draws,
    }


def domains(pools: dict[str, str], model: str, rows: int, draws: int) -> dict[str, Any]:
    """Rows of every pair of domains."""
    import numpy as np

    from headwater.comparison import mmd
    from headwater.transfer import distance

    texts = {name: data.read(pool)[0] for name, pool in pools.items()}
    every = [text for one in texts.values() for text in one]
    first = dict(zip(texts, np.cumsum([0, *map(len, texts.values())]).tolist(), strict=False))
    see = _view(every, model)
    pairs: dict[str, list[dict[str, Any]]] = {}
    for one, other in combinations(texts, 2):
        for seed in range(draws):
            random = np.random.default_rng(seed)
            sides = [first[name] + random.permutation(len(texts[name]))[:rows] for name in (one, other)]
            features = see(np.concatenate(sides))
            found = distance.measure(features[:rows], features[rows:], seed=seed)
            spread = mmd.discrepancy(features[:rows], features[rows:], seed=seed)
            pairs.setdefault(f"{one} and {other}", []).append(
                {"claimed": found.differs, "p": found.p, "proxy": found.proxy.value, "auc": found.auc.value,
                 "mmd": spread.value, "mmd_p": spread.p}
            )  # fmt: skip
    return {"pairs": pairs}


def _view(texts: list[str], model: str) -> Callable[[np.ndarray], np.ndarray]:
    """What the model sees of some of the texts: looked up for a foundation, found anew for a basic model."""
    from headwater.language.classification.task import TextClassification
    from headwater.settings import Settings

    application = TextClassification(model, Settings(offline=True, max_length=MAX_LENGTH))
    if model == "minilm":
        features = application.view(texts)
        return lambda rows: features[rows]
    return lambda rows: application.view([texts[row] for row in rows.tolist()])


def compare(bench: Bench) -> None:
    """Measures both models on halves, then on domains."""
    draws, pool, rows = (5, 120, 50) if bench.options.quick else (100, POOL, ROWS)
    pools = {name: str(_pool(bench, name, pool)) for name in (*SETS, *_domains())}
    false = list(_halves(bench, pools, rows, draws))
    apart = {name: pools[name] for name in _domains()}
    true = [(model, bench.measure("domains", pools=apart, model=model, rows=rows, draws=max(draws // 20, 1)))
            for model in MODELS]  # fmt: skip
    publish(bench, [_of_halves(false, rows, draws), _of_domains(true, rows)])


def _domains() -> list[str]:
    return [f"amazon_{domain}" for domain in data.DOMAINS]


def _pool(bench: Bench, name: str, rows: int) -> Path:
    return data.part_of(data.prepare(name, bench.options.data).train, rows, 0)


def _halves(bench: Bench, pools: dict[str, str], rows: int, draws: int) -> Iterator[tuple[str, str, Measured]]:
    for model in MODELS:
        for name in SETS:
            run = bench.measure("halves", pool=pools[name], model=model, rows=rows, draws=draws)
            yield model, name, run


def _of_halves(runs: list[tuple[str, str, Measured]], rows: int, draws: int) -> Table:
    caption = (
        f"Two random halves of one set, {rows} rows each, {draws} draws: how often a difference was claimed, "
        "and how often it would have been at p < 0.05. Bar: claimed in at most 5 %."
    )
    columns = ("model", "set", "claimed", "p < 0.05", "mean p", "mean proxy A-distance", "CPU s a draw")
    cells = []
    for model, name, run in runs:
        told = run.values
        shares = [sum(told["claimed"]) / draws, sum(p < 0.05 for p in told["p"]) / draws]
        means = [sum(told["p"]) / draws, sum(told["proxy"]) / draws]
        cells.append((model, name, *(f"{share:.0%}" for share in shares), *means, told["cpu_seconds_a_draw"]))
    return Table(caption, columns, cells)


def _of_domains(runs: list[tuple[str, Measured]], rows: int) -> Table:
    caption = (
        f"Two Amazon domains, {rows} rows each: draws in which a difference was found, means over the draws of the "
        "distances, and draws in which MMD alone has p < 0.01. Bar: found in every draw."
    )
    columns = ("model", "domains", "found", "proxy A-distance", "AUC", "MMD²", "by MMD alone")
    cells = []
    for model, run in runs:
        for pair, draws in run.values["pairs"].items():
            means = [sum(draw[name] for draw in draws) / len(draws) for name in ("proxy", "auc", "mmd")]
            found, alone = sum(draw["claimed"] for draw in draws), sum(draw["mmd_p"] < 0.01 for draw in draws)
            names = pair.replace("amazon_", "")
            cells.append((model, names, f"{found} of {len(draws)}", *means, f"{alone} of {len(draws)}"))
    return Table(caption, columns, cells)


SIDES = {"halves": halves, "domains": domains}

if __name__ == "__main__":
    main(Path(__file__), SIDES, compare, seeds=1)
