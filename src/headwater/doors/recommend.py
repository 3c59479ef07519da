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
        typer.Option(
            "--history",
            metavar=_NAMES,
            help="Items that somebody liked, by name or title; beside --user, what is new. May come again.",
        ),
    ] = None,
    like: Annotated[
        str | None, typer.Option("--like", metavar="ITEM", help="Items like this one, by name or title.")
    ] = None,
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

    _refuse_unclear(asks=user is not None or bool(history), like=like is not None)
    application: Any = Application.load(run)
    if application.task != "recommendation":
        raise SettingError(
            "This application recommends nothing", where=str(run), got=application.task, fix="Take headwater predict."
        )
    asked: dict[str, Any] = {"k": k, "where": assignments(where or (), where="--where", plain=True)}
    items = [application.called.one(name) for name in _names(history or (), application.called)]
    if like is not None:
        found = application.similar(like, **asked)
    else:
        _refuse_stranger(application, user, items)
        found = application.recommend([user] if user is not None else None, histories=[items], **asked)[0]
    if not found:
        raise SettingError(
            "No item is left to recommend", where="headwater recommend", got=user or like or items,
            fix="Ask for another value of --where, or leave it out." if where else "Ask for somebody else.",
        )  # fmt: skip
    show(application, found, reasons=why and like is None, user=user, history=items)


def _refuse_unclear(*, asks: bool, like: bool) -> None:
    if not asks and not like:
        raise SettingError(
            "recommend needs --user, --history, or --like", where="headwater recommend",
            accepted="a user, a history, both of these, or an item",
        )  # fmt: skip
    if asks and like:
        raise SettingError(
            "--like stands neither beside --user nor beside --history", where="headwater recommend",
            fix="Put the item into --history, or ask twice.",
        )  # fmt: skip


def _refuse_stranger(application: Any, user: str | None, items: Sequence[Any]) -> None:
    """Refuses a user of whom nothing is known, when nothing else is told of them."""
    from headwater.recommendation.calling import unknown_user

    kept = application.kept
    place = -1 if user is None else int(kept.user_ids.positions([user])[0])
    if user is not None and not items and (place < 0 or not kept.histories.lengths[place]):
        raise unknown_user(user, kept.user_ids)


def show(application: Any, found: Sequence[Any], *, reasons: bool, user: str | None, history: Sequence[str]) -> None:
    """A list as a table: the place, the item, its title where there is one, its score, and what speaks for it."""
    titles = application.titles()
    columns = ["", "item", *(["title"] if titles else []), "score", *(["because of"] if reasons else [])]
    rows = []
    for place, one in enumerate(found, start=1):
        row = [place, one["item"], *([titles.get(str(one["item"]))] if titles else []), one["score"]]
        if reasons:
            spoken = application.why(one["item"], user=user, history=history)
            row.append("; ".join(titles.get(str(part["item"])) or str(part["item"]) for part in spoken))
        rows.append(row)
    console.table(columns, rows)


def _names(history: Sequence[str], called: Any) -> list[str]:
    """The items of a history; titles may have commas in them."""
    found = []
    for part in history:
        marks = next((mark for mark in "|;" if mark in part), ",")
        found += [part] if called.find(part) is not None else part.split(marks)
    return [name.strip() for name in found if name.strip()]
