"""The commented configuration file to start from."""

from __future__ import annotations

import textwrap

from headwater import catalog
from headwater.options import to_yaml
from headwater.request import ARGUMENTS, MODEL_SETTINGS
from headwater.settings import Settings


def write(task: str, model: str | None = None) -> str:
    """A commented configuration file: every setting of the task at its default, and the model's own settings last."""
    entry = catalog.task(task)
    name = model or entry.default_model
    own = to_yaml(catalog.model_settings(task, name)())
    lines = [f"# A run of headwater: headwater adapt --config {task}.yaml", ""]
    for argument, value in (("task", task), ("data", "null"), ("model", name), ("to", "null")):
        lines += [f"# {ARGUMENTS[argument]}", f"{argument}: {value}"]
    text = "\n".join(lines) + "\n\n" + to_yaml(Settings(), fields=entry.fields)
    if own.strip():
        text += f"\n# The settings of {name} itself\n{MODEL_SETTINGS}:\n{textwrap.indent(own, '  ')}"
    return text
