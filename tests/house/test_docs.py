"""What the pages and the errors tell a user to type exists."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator

import pytest
from tests.house.sources import ROOT, sources
from tests.house.test_layers import _imports
from typer.main import get_command

from headwater.cli import app

OTHERS = {
    "--cpu",
    "--force-reinstall",
    "--logdir",
    "--standalone",
    "--nproc-per-node",
    "--seeds",
    "--threads",
    "--models",
    "--sets",
    "--sizes",
    "--unequal",
}
"""Flags of accelerate, pip, tensorboard, torch and the benchmarks."""
NAMES_IN_METADATA = {"PIL": "pillow", "sklearn": "scikit-learn", "yaml": "pyyaml"}


def _flags() -> set[str]:
    program = get_command(app)
    commands = [program, *program.commands.values()]  # type: ignore[attr-defined]
    known = {name for command in commands for part in command.params for name in (*part.opts, *part.secondary_opts)}
    return known | {"--help"} | OTHERS


def _named() -> Iterator[tuple[str, str]]:
    """Every flag that a page, or a string of the package, names."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    pages = [page for page in pages if "_build" not in page.parts and not page.name.startswith("benchmark")]
    texts = {str(page.relative_to(ROOT)): page.read_text("utf-8") for page in pages}
    texts |= {str(source.path): source.text for source in sources()}
    for place, text in texts.items():
        for flag in re.findall(r"(?<![\w-])--[a-z][a-z-]+", text):
            yield place, flag


def test_every_flag_that_is_named_exists() -> None:
    known, named = _flags(), list(_named())
    assert len({flag for _, flag in named}) > 30
    assert sorted({(place, flag) for place, flag in named if flag not in known and not flag.endswith("-")}) == []


@pytest.mark.parametrize("flag", ["--heads", "--modle"])
def test_a_flag_that_does_not_exist_is_seen(flag: str) -> None:
    assert flag not in _flags()


def test_every_library_that_is_imported_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lines = [*project["dependencies"], *(line for extra in project["optional-dependencies"].values() for line in extra)]
    declared = {re.split(r"[\s<>=!~;\[]", line, maxsplit=1)[0] for line in lines}
    imported = {module.split(".")[0] for source in sources() for _, module in _imports(source.tree)}
    others = imported - set(sys.stdlib_module_names) - {"headwater"}
    assert {"numpy", "torch"} <= others
    assert sorted({NAMES_IN_METADATA.get(name, name.replace("_", "-")) for name in others} - declared) == []
