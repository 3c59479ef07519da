"""The verb `play`: an agent in its environment, to look at."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from headwater.doors import console
from headwater.errors import SettingError


def play(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder of control.", show_default=False)],
    *,
    video: Annotated[Path, typer.Option("--video", metavar="FILE", help="The .mp4 file to write.")] = Path(
        "episode.mp4"
    ),
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Which episode.")] = 0,
) -> None:
    """Write a video of an episode that an agent plays."""
    from headwater.application import Application

    application: Any = Application.load(run)
    if application.task != "control":
        raise SettingError(
            "This application plays in no environment", where=str(run), got=application.task,
            fix="Take headwater predict.",
        )  # fmt: skip
    console.say(f"{application.film(video, seed=seed)} frames written to {video}")
