"""A small run folder that the command line made."""

from pathlib import Path

import pytest
from tests.cli.commands import type_in, write_reviews
from typer.testing import Result


@pytest.fixture(scope="session")
def reviews(tmp_path_factory) -> Path:
    return write_reviews(tmp_path_factory.mktemp("reviews") / "reviews.csv")


@pytest.fixture(scope="session")
def adapted(reviews, tmp_path_factory) -> tuple[Path, Result]:
    folder = tmp_path_factory.mktemp("runs") / "reviews"
    result = type_in("adapt", "text-classification", reviews, "--model", "tfidf-logistic", "--to", folder)
    return folder, result


@pytest.fixture(scope="session")
def run(adapted) -> Path:
    return adapted[0]
