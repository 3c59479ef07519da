"""The manners of the command line: help in sections, a mistake in one line, an exit status that tells the truth."""

from __future__ import annotations

import sys
import traceback
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from headwater.doors import console
from headwater.errors import HeadwaterError


class Verb(TyperCommand):
    """A command whose help lists its flags under the headings of their settings."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            kind = "Arguments" if parameter.param_type_name == "argument" else "Options"
            if record is not None:
                sections.setdefault(getattr(parameter, "rich_help_panel", None) or kind, []).append(record)
        for heading, records in sections.items():
            with formatter.section(heading):
                formatter.write_dl(records)


class Verbs(TyperGroup):
    """All commands. A user's mistake ends in status 2, Ctrl-C in 130, a bug in 1; nothing that failed ends in 0."""

    command_class = Verb

    def main(self, *args: Any, standalone_mode: bool = True, **extra: Any) -> Any:
        try:
            status = super().main(*args, standalone_mode=False, **extra)
        except typer.TyperException as mistake:
            console.usage_error(mistake)
            status = mistake.exit_code
        if standalone_mode:
            sys.exit(status)
        return status

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except HeadwaterError as mistake:
            if ctx.params["debug"]:
                traceback.print_exc()
            console.error(str(mistake))
            raise typer.Exit(mistake.exit_code) from mistake
