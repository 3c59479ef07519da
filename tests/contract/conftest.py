"""One fitted application an entry, shared by all the checks that only look at it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from tests.contract.entries import DATA, ROWS, TINY, Entry, entries, models_of
from tests.contract.kinds import Kind, Table

import headwater
from headwater import catalog
from headwater.options import options_of


@pytest.fixture(scope="session")
def tiny_foundation(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """The folder of the tiny foundation of a task."""

    @cache
    def of(task: str) -> str:
        make = DATA[task].foundation
        assert make is not None, f"{task} adapts foundations, and there is no tiny one"
        return str(make(tmp_path_factory.mktemp("foundation") / TINY))

    return of


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HEADWATER_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("HF_HUB_OFFLINE", "1")
        yield


@contextmanager
def smaller() -> Iterator[None]:
    """Within, networks are narrow and trainings short: of full size they do the same in minutes, these in seconds."""
    with pytest.MonkeyPatch.context() as patch:
        for kind in DATA.values():
            for name, size in kind.smaller.items():
                patch.setattr(name, size)
        yield


@pytest.fixture(autouse=True)
def _smaller() -> Iterator[None]:
    with smaller():
        yield


@pytest.fixture(autouse=True)
def _has_meaning(request: pytest.FixtureRequest) -> None:
    """Leaves out what has no meaning for a kind of task, and says why."""
    for name in {"entry", "unlearnt"} & set(request.fixturenames):
        why = request.getfixturevalue(name).kind.without.get(request.node.originalname)
        if why:
            pytest.skip(why)


@pytest.fixture(scope="session", params=entries(), ids=str)
def entry(
    request: pytest.FixtureRequest, tiny_foundation: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Entry:
    found: Entry = request.param
    if found.model == TINY:
        return replace(found, model=tiny_foundation(found.task))
    has = {option.name for option in options_of(catalog.model_settings(found.task, found.model))}
    own = {name: value for name, value in found.kind.own.items() if name in has}
    beside = found.kind.beside(found.model, tmp_path_factory.mktemp("beside"))
    return replace(found, settings={**found.settings, **own, **beside})


@pytest.fixture(
    scope="session",
    params=models_of(entries()),
    ids=str,
)
def unlearnt(request: pytest.FixtureRequest, tiny_foundation: Callable[[str], str]) -> Entry:
    """Each model once, for checks of what is done before anything is learnt: no strategy has a part in it."""
    found: Entry = replace(request.param, settings=request.param.kind.seen)
    return replace(found, model=tiny_foundation(found.task)) if found.model == TINY else found


@pytest.fixture(scope="session")
def kind(entry: Entry) -> Kind:
    return entry.kind


@pytest.fixture(scope="session")
def adapt(entry: Entry) -> Callable[..., Any]:
    """`headwater.adapt` for this entry, with tiny data unless other is given."""

    def adapted(data: Any = None, **changes: Any) -> Any:
        rows = entry.kind.data(entry.kind.table(ROWS), entry.model) if data is None else data
        with smaller():  # what lasts for the session is made before the test itself begins
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
def rows(kind: Kind) -> Table:
    return kind.table(ROWS)


@pytest.fixture
def inputs(kind: Kind, rows: Table) -> list[Any]:
    """The inputs of the rows."""
    return rows[kind.inputs]
