"""The verb `recommend`: what would this user, or someone who liked these, want next?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from headwater.doors import console
from headwater.doors.flags import assignments
from headwater.errors import SettingError

_NAMES = "NAME,NAME"


def recommend(  # noqa: PLR0913 - a flag each
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder of recommendation.", show_default=False)],
    *,
    user: Annotated[str | None, typer.Option("--user", metavar="NAME", help="A user, by name.")] = None,
    history: Annotated[
        list[str] | None,
        typer.Option("--history", metavar=_NAMES, help="Items that somebody liked; beside --user, what is new."),
    ] = None,
    like: Annotated[str | None, typer.Option("--like", metavar="ITEM", help="Items like this one.")] = None,
    k: Annotated[
        int | None, typer.Option("--k", metavar="N", help="How many. As adapt was told, if not given.")
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option("--where", metavar="COLUMN=VALUE", help="Only items whose column holds this."),
    ] = None,
    why: Annotated[bool, typer.Option("--why", help="Say which items of the history speak for each.")] = False,
) -> None:
    """Recommend items to a user, or to someone who liked some items."""
    from headwater.application import Application

    if sum((user is not None or bool(history), like is not None)) != 1:
        raise SettingError(
            "recommend needs --user, --history, or --like", where="headwater recommend",
            accepted="a user, a history, both of these, or an item",
        )  # fmt: skip
    application: Any = Application.load(run)
    if application.task != "recommendation":
        raise SettingError(
            "This application recommends nothing", where=str(run), got=application.task, fix="Take headwater predict."
        )
    asked: dict[str, Any] = {"k": k, "where": assignments(where or (), where="--where", plain=True)}
    items = _items(history)
    if like is not None:
        found = application.similar(like, **asked)
    else:
        found = application.recommend([user] if user is not None else None, histories=[items], **asked)[0]
    if not found:
        raise SettingError(
            "Nothing can be recommended", where="headwater recommend", got=user or like or items,
            fix="Name a known user, give known items with --history, or leave --where out.",
        )  # fmt: skip
    show(application, found, reasons=why and like is None, user=user, history=items)


def show(application: Any, found: Sequence[Any], *, reasons: bool, user: str | None, history: Sequence[str]) -> None:
    """A list as a table: the place, the item, its title where there is one, its score, and what speaks for it."""
    titles = application.titles()
    columns = ["", "item", *(["title"] if titles else []), "score", *(["because of"] if reasons else [])]
    rows = []
    for place, one in enumerate(found, start=1):
        row = [place, one["item"], *([titles.get(str(one["item"]))] if titles else []), one["score"]]
        if reasons:
            spoken = application.why(one["item"], user=user, history=history)
            row.append(", ".join(titles.get(str(part["item"])) or str(part["item"]) for part in spoken))
        rows.append(row)
    console.table(columns, rows)


def _items(history: Sequence[str] | None) -> list[str]:
    return [name.strip() for part in history or () for name in part.split(",") if name.strip()]
