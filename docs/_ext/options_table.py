"""The directive `options`: a settings class as a table, from the same fields as the flags and the YAML comments."""

from __future__ import annotations

import importlib
from itertools import groupby
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from headwater.options import Option, options_of

_COLUMNS = (("setting", 24), ("meaning", 46), ("accepted", 20), ("default", 10))


class OptionsDirective(SphinxDirective):
    """`{options} module:Class` becomes one table for each section of the class."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """The tables, each behind the name of its section where there are several."""
        module, _, name = self.arguments[0].partition(":")
        settings = importlib.import_module(module)
        for part in name.split("."):
            settings = getattr(settings, part)
        sections = [(title, list(options)) for title, options in groupby(options_of(settings), lambda it: it.section)]
        content: list[nodes.Node] = []
        for title, options in sections:
            if len(sections) > 1:
                content.append(nodes.rubric(title, title))
            content.append(_table(options))
        return content


def _table(options: list[Option]) -> nodes.table:
    group = nodes.tgroup(cols=len(_COLUMNS))
    group += [nodes.colspec(colwidth=width) for _, width in _COLUMNS]
    group += nodes.thead("", _row([nodes.Text(title) for title, _ in _COLUMNS]))
    group += nodes.tbody("", *(_row(_cells(option)) for option in options))
    return nodes.table("", group, classes=["options"])


def _cells(option: Option) -> list[nodes.Node]:
    default = "" if option.default is None else str(option.default).lower()
    return [
        nodes.literal(text=option.name),
        nodes.Text(f"{option.sentence} ({option.kinds})" if option.of else option.sentence),
        nodes.Text(option.accepted),
        nodes.literal(text=default) if default else nodes.Text("the model's own or none"),
    ]


def _row(cells: list[nodes.Node]) -> nodes.row:
    return nodes.row("", *(nodes.entry("", nodes.paragraph("", "", cell)) for cell in cells))


def setup(app: Sphinx) -> dict[str, Any]:
    """Registers the directive."""
    app.add_directive("options", OptionsDirective)
    return {"version": "1", "parallel_read_safe": True}
