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
    video: Annotated[
        Path | None,
        typer.Option("--video", metavar="FILE", help="The .mp4 file to write; episode.mp4 if nothing else is asked."),
    ] = None,
    transitions: Annotated[
        Path | None,
        typer.Option("--transitions", metavar="FILE", help="A .parquet file for what it observed, did and was given."),
    ] = None,
    episodes: Annotated[int, typer.Option("--episodes", metavar="N", min=1, help="Episodes of --transitions.")] = 10,
    seed: Annotated[int, typer.Option("--seed", metavar="N", min=0, help="Which episodes.")] = 0,
) -> None:
    """Write a video of an episode that an agent plays, or a table of what it did in several."""
    from headwater.application import Application

    application: Any = Application.load(run)
    if application.task != "control":
        raise SettingError(
            "This application plays in no environment", where=str(run), got=application.task,
            fix="Take headwater predict.",
        )  # fmt: skip
    if transitions is not None:
        console.say(f"{application.record(transitions, episodes, seed=seed)} transitions written to {transitions}")
    if video is not None or transitions is None:
        film = video or Path("episode.mp4")
        console.say(f"{application.film(film, seed=seed)} frames written to {film}")
