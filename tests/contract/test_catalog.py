"""The catalog is whole: every name leads to a class, every class to a page and a set of settings."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest
from tests.contract.entries import DATA, entries

from headwater import catalog
from headwater.errors import ExtraError, NotFoundError
from headwater.options import options_of

ROOT = Path(__file__).parents[2]


def test_the_suite_found_every_entry() -> None:
    assert len(catalog.TASKS) == 1
    assert len(catalog.MODELS) == 7
    assert len(catalog.FOUNDATIONS) == 1
    assert len(entries()) == 7 + 1 + 7
    assert set(DATA) == {task.name for task in catalog.TASKS}


@pytest.mark.parametrize("model", catalog.MODELS, ids=lambda model: model.name)
def test_every_model_has_a_class_with_described_settings(model: catalog.Model) -> None:
    settings = catalog.model_class(model.task, model.name).Settings
    assert dataclasses.is_dataclass(settings)
    assert all(option.sentence.endswith(".") for option in options_of(settings))
    settings()


@pytest.mark.parametrize("model", catalog.MODELS, ids=lambda model: model.name)
def test_every_model_has_a_page(model: catalog.Model) -> None:
    titles = " ".join(page.read_text("utf-8").partition("\n")[0] for page in (ROOT / "docs" / "models").glob("*.md"))
    assert model.name in re.findall(r"[\w-]+", titles)


def test_names_are_unique() -> None:
    names = catalog.model_names("text-classification")
    assert len(names) == len(set(names))


def test_an_unknown_task_names_the_near_ones() -> None:
    with pytest.raises(NotFoundError, match=r"There is no task of this name\. Got 'text-clasification'.*Did you mean"):
        catalog.task("text-clasification")


def test_a_missing_library_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(_: str) -> None:
        raise ModuleNotFoundError("No module named 'torch'", name="torch")

    monkeypatch.setattr(catalog.importlib, "import_module", absent)
    with pytest.raises(ExtraError, match=r"needs the library torch.*pip install 'headwater\[language\]'"):
        catalog.load("headwater.language:X", extra="language")
