"""Small applications to be served, and clients of theirs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.cli.commands import write_reviews

import headwater
from headwater.recommendation.task import Recommendation
from headwater.serving.app import make_app
from headwater.serving.settings import ServeSettings
from headwater.settings import Settings

LOOPBACK = "http://127.0.0.1"
GENRES = ("Comedy", "Drama|Comedy", "Drama", "Horror")


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of a recommender: 40 users, 30 items in two halves, with titles and genres."""
    folder = tmp_path_factory.mktemp("shop")
    rows = [json.dumps({"item": f"i{item}", "title": f"Tale {item} of {'ab'[item % 2]}", "genre": GENRES[item % 4]})
            for item in range(30)]  # fmt: skip
    (folder / "items.jsonl").write_text("\n".join(rows), "utf-8")
    pairs = [(f"u{user}", f"i{item}") for user in range(40) for item in range(user % 2, 30, 2) if (user + item) % 5]
    Recommendation("ease", Settings(k=3, items=str(folder / "items.jsonl"))).fit(pairs).save(folder / "run")
    return folder / "run"


@pytest.fixture(scope="session")
def reviews(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of a small classifier of texts."""
    folder = tmp_path_factory.mktemp("reviews")
    table = write_reviews(folder / "reviews.csv")
    headwater.adapt("text-classification", str(table), model="tfidf-logistic", to=str(folder / "run"))
    return folder / "run"


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., TestClient]]:
    """Makes a client of a served run folder; its journal is the test's own."""
    with ExitStack() as stack:

        def made(run: Path, **settings: Any) -> TestClient:
            return stack.enter_context(client_of(run, **{"journal": str(tmp_path / "journal"), **settings}))

        yield made


def client_of(run: Path, *, host: str = LOOPBACK, **settings: Any) -> TestClient:
    """A client of a served run folder; as a context it begins and ends as a server does."""
    app = make_app(headwater.load(run), ServeSettings(**settings), run)
    return TestClient(app, base_url=host, raise_server_exceptions=False)


def sentence(answer: Any) -> str:
    """The sentence of a refusal."""
    return str(answer.json()["error"]["sentence"])
