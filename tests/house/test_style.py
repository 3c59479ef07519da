"""The house style, as far as a machine can see it and the linter does not."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from statistics import median

import pytest
from tests.house.sources import PACKAGE, ROOT, Source, code_lines, sources
from tests.house.test_layers import DOMAINS

from headwater import catalog

FILE_CAP, FILE_MEDIAN, FUNCTION_CAP, FUNCTION_MEDIAN, DEPTH_CAP = 500, 120, 60, 8, 3


def _lines(source: Source) -> int:
    return len(source.text.splitlines())


def test_the_tests_of_the_house_see_the_package():
    assert len(sources()) > 40
    assert sum(1 for source in sources() for _ in source.functions) > 300


def test_files_are_short():
    assert {str(source.path): _lines(source) for source in sources() if _lines(source) > FILE_CAP} == {}
    assert median(map(_lines, sources())) <= FILE_MEDIAN


def test_functions_are_short():
    lengths = {
        f"{source.at(function)} {function.name}": code_lines(source, function)
        for source in sources()
        for function in source.functions
    }
    assert {name: length for name, length in lengths.items() if length > FUNCTION_CAP} == {}
    assert median(lengths.values()) <= FUNCTION_MEDIAN


def test_folders_are_shallow():
    assert [str(source.path) for source in sources() if len(source.path.parts) > DEPTH_CAP] == []


def test_modules_classes_and_functions_tell_what_they_are():
    silent = [
        source.at(node)
        for source in sources()
        for node in [source.tree, *source.tree.body]
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and not getattr(node, "name", "").startswith("_")
        and ast.get_docstring(node) is None
    ]
    assert silent == []


def _is_print(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "print"


def _catches_everything(node: ast.AST) -> bool:
    return isinstance(node, ast.ExceptHandler) and (
        node.type is None or bool({"Exception", "BaseException"} & set(re.findall(r"\w+", ast.unparse(node.type))))
    )


def _imports_pickle(node: ast.AST) -> bool:
    names = [name.name for name in node.names] if isinstance(node, ast.Import) else []
    names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
    return bool({name.split(".")[0] for name in names} & {"pickle", "cloudpickle", "dill", "joblib", "shelve"})


def _loads_pickle(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and ast.unparse(node) in {
        "torch.load",
        "torch.save",
        "np.load",
        "pd.read_pickle",
    }


@pytest.mark.parametrize(
    "forbidden",
    [
        _is_print,
        lambda node: isinstance(node, ast.Assert),
        _catches_everything,
        _imports_pickle,
        _loads_pickle,
        lambda node: isinstance(node, ast.Name) and node.id == "NotImplementedError",
    ],
    ids=["print", "assert", "except everything", "pickle", "torch.load", "NotImplementedError"],
)
def test_the_package_is_without(forbidden: Callable[[ast.AST], bool]):
    assert [source.at(node) for source in sources() for node in ast.walk(source.tree) if forbidden(node)] == []


@pytest.mark.parametrize(
    ("code", "forbidden"),
    [
        ("print(1)", _is_print),
        ("try: pass\nexcept (ValueError, Exception): pass", _catches_everything),
        ("try: pass\nexcept: pass", _catches_everything),
        ("from pickle import loads", _imports_pickle),
        ("import os, joblib", _imports_pickle),
        ("torch.load(file)", _loads_pickle),
    ],
)
def test_what_is_forbidden_is_seen(code: str, forbidden: Callable[[ast.AST], bool]):
    assert any(forbidden(node) for node in ast.walk(ast.parse(code)))


def test_nothing_is_left_for_later():
    later = re.compile(r"\b(TODO|FIXME|XXX|HACK|WIP)\b")
    assert [str(source.path) for source in sources() if later.search(source.text)] == []


def test_every_task_has_its_file():
    for task in catalog.TASKS:
        module = task.path.partition(":")[0]
        assert module.endswith(".task"), task.name
        assert (PACKAGE.parent / module.replace(".", "/")).with_suffix(".py").is_file(), task.name


def test_every_folder_of_a_domain_is_a_task():
    folders = {source.path.parent for source in sources() if source.room in DOMAINS and len(source.path.parts) > 2}
    assert folders
    assert [str(folder) for folder in sorted(folders) if not (PACKAGE / folder / "task.py").is_file()] == []


def test_every_model_of_the_catalog_has_a_page():
    pages = [file.read_text("utf-8") for file in sorted((ROOT / "docs" / "models").glob("*.md"))]
    names = [model.name for model in catalog.MODELS] + [foundation.name for foundation in catalog.FOUNDATIONS]
    assert [name for name in names if not any(f"--model {name}" in page for page in pages)] == []
