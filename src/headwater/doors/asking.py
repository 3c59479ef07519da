"""What the verbs that make an application ask of a command line, and how they say what to type next."""

from __future__ import annotations

import shlex
from collections.abc import Collection
from pathlib import Path
from typing import Any

from headwater import catalog
from headwater.errors import SettingError


def require(values: dict[str, Any], *, verb: str, resume: bool, beside: Collection[str] = ()) -> None:
    """Refuses a command line that lacks what the run needs: the folder to resume, or the task and its data.

    Args:
        values: what was given.
        verb: who asks.
        resume: whether an unfinished run is to go on.
        beside: what a resumed run may be given beside its folder.

    Raises:
        SettingError: names what is missing.
    """
    where = f"headwater {verb}"
    if resume and "to" not in values:
        raise SettingError("--resume needs the folder of the run", where=where, fix="Add --to FOLDER.")
    if resume and values.keys() <= {"to", *beside}:
        return
    other = sorted(values.keys() - {"to", "task", "data", *beside})
    if resume and other and not {"task", "data"} & values.keys():
        raise SettingError(
            "A stopped run goes on with the settings it was begun with", where=where,
            got=", ".join("--" + name.replace("_", "-") for name in other),
            accepted=", ".join("--" + name.replace("_", "-") for name in ("to", *beside)),
            fix=f"Leave the rest out, or give TASK and DATA too: headwater {verb} TASK DATA --resume ...",
        )  # fmt: skip
    acts = any(task.name == values.get("task") and "Observation" in task.inputs for task in catalog.TASKS)
    data = "Give an environment: an id of Gymnasium, or module:Class." if acts else "Give a file or a folder."
    for name, fix in (("task", "See the tasks with: headwater catalog"), ("data", data)):
        if name not in values:
            raise SettingError(f"{verb} needs {name.upper()}", where=where, fix=fix)


def refuse_texts(task: str) -> None:
    """Refuses texts typed on the command line where the application of a task reads none.

    Raises:
        SettingError: says what it reads.
    """
    inputs = catalog.task(task).inputs
    # An observation may be a text, and any other can be typed as one: a list of numbers in brackets.
    if "Text" not in inputs and "Observation" not in inputs:
        raise SettingError(
            f"An application of {task} reads {', '.join(f'{one.lower()}s' for one in inputs)}, no texts", where="--say",
            fix="Ask with: headwater recommend RUN --user NAME" if "User" in inputs
            else "Give the path of an image, a folder or an archive as DATA.",
        )  # fmt: skip


def way_on(folder: str, verb: str) -> str:
    """How to go on with a stopped run, if it had begun: before that there is nothing to resume."""
    from headwater.workspace import is_unfinished

    return f" Go on with: headwater {verb} --resume --to {shlex.quote(folder)}" if is_unfinished(Path(folder)) else ""
