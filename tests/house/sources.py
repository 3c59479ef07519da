"""The package's source files, parsed once for all the tests of the house."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "headwater"

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Source:
    """One file of the package: its path within it, its text and its syntax tree."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def room(self) -> str:
        """The folder or file directly under the package."""
        return self.path.parts[0].removesuffix(".py")

    @property
    def functions(self) -> Iterator[Function]:
        return (node for node in ast.walk(self.tree) if isinstance(node, Function))

    def at(self, node: ast.AST) -> str:
        return f"{self.path}:{getattr(node, 'lineno', 1)}"


@cache
def sources() -> tuple[Source, ...]:
    files = sorted(PACKAGE.rglob("*.py"))
    return tuple(Source(file.relative_to(PACKAGE), text := file.read_text("utf-8"), ast.parse(text)) for file in files)


def code_lines(source: Source, function: Function) -> int:
    """Lines of a function without docstring, blank lines and comments."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    end = function.end_lineno or function.lineno
    numbers = [*range(function.lineno, function.body[0].lineno), *range(body[0].lineno if body else end, end + 1)]
    lines = [source.text.splitlines()[number - 1].strip() for number in numbers]
    return sum(bool(line) and not line.startswith("#") for line in lines)
