"""Rooms use the rooms below them, and heavy libraries are loaded by those who need them."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator

import pytest
from tests.house.sources import Source, sources

GROUND = {
    "application", "artifact", "catalog", "errors", "options", "progress", "ranges", "request", "run", "settings"
}  # fmt: skip
DOMAINS = {"language", "vision", "recommendation", "control", "speech", "biology", "decisions"}
LAYERS: tuple[tuple[set[str], ...], ...] = (
    (GROUND,),
    ({"data"},),
    ({"foundation"},),
    ({"evaluation"}, {"training"}),
    ({"transfer"}, {"explanation"}, {"compression"}),
    ({"comparison"}, {"ranking"}),
    tuple({domain} for domain in sorted(DOMAINS)),
    ({"flow", "workspace"},),
    ({"tuning"},),
    ({"cli", "doors", "serving", "__init__", "__main__"},),
)
"""From the ground up; what stands in one set is one room, whose files may import one another."""

HEAVY = {"torch", "transformers", "pandas", "peft", "accelerate", "datasets"}


def _home(room: str) -> tuple[int, set[str]]:
    return next((floor, rooms) for floor, layer in enumerate(LAYERS) for rooms in layer if room in rooms)


def _imports(tree: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    """Every module that is imported, at the top or in a function; not those that only the type checker sees."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            yield from ((node, name.name) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node, f"{node.module}.{name.name}") for name in node.names)
        yield from _imports(node)


def _room(module: str) -> str | None:
    """The room of an imported module of ours, None for what is no room, such as `headwater.__version__`."""
    parts = module.split(".")
    known = {room for layer in LAYERS for rooms in layer for room in rooms}
    return parts[1] if parts[0] == "headwater" and len(parts) > 1 and parts[1] in known else None


def test_every_room_has_its_layer():
    known = {room for layer in LAYERS for rooms in layer for room in rooms}
    assert {source.room for source in sources()} <= known


def test_rooms_import_downward_only():
    wrong = [
        f"{source.at(node)} imports {module}"
        for source in sources()
        for node, module in _imports(source.tree)
        if (room := _room(module)) and not _may_use(source, room)
    ]
    assert wrong == []


def _may_use(source: Source, room: str) -> bool:
    (here, mates), (there, _) = _home(source.room), _home(room)
    return there < here or room in mates


@pytest.mark.parametrize("rooms", [DOMAINS, {"data", "evaluation"}], ids=["domains", "data and evaluation"])
def test_the_rule_on_imports_sees_them(rooms: set[str]):
    seen = [module for source in sources() if source.room in rooms for _, module in _imports(source.tree)]
    assert len(seen) > 20


def test_data_and_evaluation_never_import_torch():
    wrong = [
        f"{source.at(node)} imports {module}"
        for source in sources()
        if source.room in {"data", "evaluation"}
        for node, module in _imports(source.tree)
        if module.split(".")[0] in HEAVY - {"pandas", "datasets"}
    ]
    assert wrong == []


@pytest.mark.parametrize(
    "what",
    [
        "import headwater",
        "import headwater.cli, headwater.settings, headwater.application",
        "import sys, runpy; sys.argv = ['headwater', '--help']\n"
        "try: runpy.run_module('headwater', run_name='__main__')\n"
        "except SystemExit: pass",
        "import headwater.data.preparing, headwater.data.writing, headwater.evaluation.report",
    ],
    ids=["import", "contracts", "help", "data and evaluation"],
)
def test_heavy_libraries_are_not_loaded_by(what: str):
    code = f"{what}\nimport json, sys; print('\\n' + json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = json.loads(done.stdout.splitlines()[-1])
    assert "headwater" in loaded
    assert HEAVY.isdisjoint(loaded)
