"""One fitted application an entry, shared by all the checks that only look at it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.contract.entries import DATA, Entry, entries
from tests.tiny import make_bert

import headwater


@pytest.fixture(scope="session")
def tiny_foundation(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(make_bert(tmp_path_factory.mktemp("foundation") / "tiny-bert"))


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEADWATER_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("HF_HUB_OFFLINE", "1")
        yield


@pytest.fixture(
    scope="session", params=entries(), ids=lambda entry: f"{entry.model}-{entry.settings.get('strategy', '')}"
)
def entry(request: pytest.FixtureRequest, tiny_foundation: str) -> Entry:
    found: Entry = request.param
    model = tiny_foundation if found.model == "tiny-foundation" else found.model
    return Entry(found.task, model, found.settings)


@pytest.fixture(
    scope="session", params={(one.task, one.model): one for one in entries()}.values(), ids=lambda one: one.model
)
def unlearnt(request: pytest.FixtureRequest, tiny_foundation: str) -> Entry:
    """Each model once, for checks of what is done before anything is learnt: no strategy has a part in it."""
    found: Entry = request.param
    return Entry(found.task, tiny_foundation if found.model == "tiny-foundation" else found.model)


@pytest.fixture(scope="session")
def adapt(entry: Entry) -> Callable[..., Any]:
    """`headwater.adapt` for this entry, with tiny data unless other is given."""

    def adapted(data: Any = None, **changes: Any) -> Any:
        rows = DATA[entry.task]() if data is None else data
        return headwater.adapt(entry.task, rows, model=entry.model, **{**entry.settings, **changes})

    return adapted


@pytest.fixture(scope="session")
def fitted(adapt: Callable[..., Any]) -> Any:
    return adapt()


@pytest.fixture(scope="session")
def folder(fitted: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("run") / "application"
    fitted.save(path)
    return path


@pytest.fixture
def rows(entry: Entry) -> dict[str, list[Any]]:
    return DATA[entry.task]()
