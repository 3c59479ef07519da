"""What is served of a recommender: lists with reasons, items like an item, and interactions that are new."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np
from starlette.requests import Request
from starlette.responses import Response

from headwater.errors import HeadwaterError, RequestError
from headwater.recommendation import asking
from headwater.recommendation.asking import Wish
from headwater.recommendation.ids import UNKNOWN
from headwater.recommendation.reasons import reasons
from headwater.serving import schemas
from headwater.serving.answers import body_of, listed, only, response
from headwater.serving.incoming import Incoming, named
from headwater.serving.journal import Journal
from headwater.serving.live import Live
from headwater.serving.nearest import LONGEST, Nearest
from headwater.serving.service import Service, add, answers_of
from headwater.serving.settings import ServeSettings
from headwater.serving.shelf import Shelf

if TYPE_CHECKING:
    from fastapi import FastAPI

_MOST: Final = 1000
_WHY: Final = 3
_LATEST: Final = 50
"""The items of a history among which reasons are looked for: each costs a score, while others wait."""
_SHOWN: Final = 20
_FOUND: Final = 20
_DIGITS: Final = 9
"""Of a limit that is worth reading."""


@dataclass(frozen=True)
class Ask:
    """One list that is asked for."""

    user: str | None
    history: tuple[str, ...]
    k: int
    where: Mapping[str, Any] | None
    why: bool

    @classmethod
    def of(cls, body: Mapping[str, Any], k: int) -> Ask:
        """What a body asks for.

        Raises:
            RequestError: a part of it is of the wrong kind.
        """
        where, why = body.get("where"), body.get("why", False)
        if where is not None and not isinstance(where, Mapping):
            raise RequestError("where is not an object", where="where", got=where, accepted='{"COLUMN": "VALUE"}')
        if not isinstance(why, bool):
            raise RequestError("why is neither true nor false", where="why", got=why)
        user, history = body.get("user"), [] if body.get("history") is None else body["history"]
        if not isinstance(history, list):
            raise RequestError("history is not a list of items", where="history", got=history)
        return cls(
            None if user is None else named("user", user), tuple(named("history", one) for one in history),
            whole("k", body.get("k", k)), where or None, why,
        )  # fmt: skip


class Recommending(Service):
    """The routes of a recommender beside `/predict`.

    New interactions are on the disk before they are acknowledged, and in the answers from then on.

    Attributes:
        live: what users did since the model was made.
        shelf: the items.
        journal: keeps what is new; None for an application that came from no folder.
    """

    script: ClassVar[str] = "recommend.js"

    def __init__(self, application: Any, settings: ServeSettings, run: Path | None = None) -> None:
        super().__init__(application, settings, run)
        self.live, self.shelf = Live(application.kept), Shelf(application.kept, application.items)
        self.incoming = Incoming(application.kept)
        folder = settings.journal or (None if run is None else f"{run.resolve()}.journal")
        self.journal = None if folder is None else Journal(Path(folder), int(settings.journal_mib * 2**20))
        self.nearest = self._index()
        for record in () if self.journal is None else self.journal.records():
            self._take(record)

    def about(self) -> dict[str, Any]:
        kept = self.application.kept
        counts = kept.histories.lengths
        some = np.argsort(-counts, kind="stable")[: 3 * _SHOWN : 12]
        return super().about() | {
            "users": len(kept.user_ids), "items": len(kept.item_ids), "k": self.application.settings.k,
            "rated": kept.rated, "keeps": self.journal is not None,
            "choices": self.shelf.choices(), "examples": [kept.user_ids[user] for user in some],
        }  # fmt: skip

    def answers(self, rows: list[Any]) -> list[dict[str, Any]]:
        table, wrong = self.cells.table(rows)
        users, histories = (column.to_pylist() for column in table.columns)
        wishes = [self.live.wish(user or None, history or ()) for user, history in zip(users, histories, strict=True)]
        found = self.application.lists(wishes, given=wrong)
        return answers_of(self.application.predictions(*found))

    def mount(self, app: FastAPI) -> None:
        super().mount(app)
        add(app, "/recommend", self._recommend, "The best items for a user, or for a history.",
            schemas.RECOMMEND, schemas.LIST)  # fmt: skip
        add(app, "/similar", self._similar, "Items like an item.", schemas.SIMILAR, schemas.LIST)
        add(app, "/interactions", self._interactions, "Takes what users did since the model was made.",
            schemas.INTERACTIONS, schemas.TAKEN)  # fmt: skip
        app.add_api_route("/items", self._items, methods=["GET"], summary="Items by a part of their name or title.",
                          response_model=None, openapi_extra={"parameters": schemas.SEARCH})  # fmt: skip

    def close(self) -> None:
        super().close()
        if self.journal is not None:
            self.journal.close()

    def lists(self, asks: Sequence[Ask]) -> list[dict[str, Any] | HeadwaterError]:
        """A list for each that asks, or what is wrong with it; those of one choice of items are looked up together."""
        found: list[Any] = [None] * len(asks)
        groups: dict[Any, list[int]] = {}
        for place, ask in enumerate(asks):
            groups.setdefault(repr(ask.where), []).append(place)
        for places in groups.values():
            for place, told in zip(places, self._together([asks[place] for place in places]), strict=True):
                found[place] = told
        return found

    def _together(self, asks: list[Ask]) -> list[dict[str, Any] | HeadwaterError]:
        try:
            allowed = self.shelf.mask(asks[0].where)
        except HeadwaterError as mistake:
            return [mistake] * len(asks)
        wishes = [self.live.wish(ask.user, ask.history) for ask in asks]
        lists, why_not = self._looked_up(wishes, max(ask.k for ask in asks), allowed)
        return [self._told(*row) for row in zip(asks, wishes, lists, why_not, strict=True)]

    def _looked_up(self, wishes: list[Wish], k: int, allowed: np.ndarray | None) -> tuple[list[Any], list[str | None]]:
        """Lists as the application gives them; out of very many items those that the index finds."""
        found = (
            None if self.nearest is None or allowed is not None else asking.answerable(wishes, self.application.kept)
        )
        if found is None or self.nearest is None or found.asked.histories.lengths.max(initial=0) > LONGEST:
            return self.application.lists(wishes, k=k, allowed=allowed)
        vectors = self.application.recommender.factors(found.asked)[0]
        seen = found.asked.histories if self.application.settings.exclude_seen else None
        lists: list[Any] = [None] * len(wishes)
        names = self.application.kept.item_ids
        reasons = [found.reasons.get(row) for row in range(len(wishes))]
        for row, items in zip(found.rows.tolist(), self.nearest.best(vectors, seen, k), strict=True):
            lists[row] = [{"item": names[item], "score": score} for item, score in items] or None
            reasons[row] = None if items else asking.NOTHING_LEFT
        return lists, reasons

    def _told(self, ask: Ask, wish: Wish, found: Any, reason: str | None) -> dict[str, Any] | HeadwaterError:
        if reason is not None:
            return RequestError(f"Nothing can be recommended: {reason}", status=404, fix=_way_on(ask, wish))
        items = [self.shelf.called(one["item"]) | {"score": one["score"]} for one in found[: ask.k]]
        if ask.why:
            for item, spoken in zip(items, self._reasons(wish, items), strict=True):
                item["why"] = spoken
        known = self.application.kept.item_ids.positions(ask.history)
        return {
            "items": items,
            "history": [self.shelf.called(item) for item in self.live.history(ask.user, ask.history, _SHOWN)],
            "ignored": [item for item, place in zip(ask.history, known, strict=True) if place == UNKNOWN],
        }  # fmt: skip

    def _reasons(self, wish: Wish, items: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
        kept = self.application.kept
        history = asking.answerable([wish], kept).asked.histories.of(0)
        places = kept.item_ids.positions([one["item"] for one in items])
        found = reasons(self.application.recommender, history, places, _WHY, _LATEST)
        return [[self.shelf.told(item) | {"score": fall} for item, fall in one] for one in found]

    async def _recommend(self, request: Request) -> Response:
        body = await body_of(request)
        only(body, schemas.RECOMMEND, "/recommend")
        ask = Ask.of(body, self.application.settings.k)
        if ask.user is None and not ask.history:
            raise RequestError(
                "The body has neither a user nor a history", where="/recommend",
                accepted='{"user": "..."}, {"history": ["...", ...]}, or both',
            )  # fmt: skip
        return await self._list(ask)

    async def _similar(self, request: Request) -> Response:
        body = await body_of(request)
        only(body, schemas.SIMILAR, "/similar")
        if body.get("item") is None:
            raise RequestError("The body has no item", where="/similar", got=sorted(body), accepted='{"item": "..."}')
        item = named("item", body["item"])
        self.incoming.known(item, "/similar")
        return await self._list(Ask.of({**body, "user": None, "history": [item]}, self.application.settings.k))

    async def _list(self, ask: Ask) -> Response:
        found = (await self.worker.ask(self.lists, [ask]))[0]
        if isinstance(found, HeadwaterError):
            raise found
        return response(found)

    async def _interactions(self, request: Request) -> Response:
        body = await body_of(request)
        records = [self.incoming.record(*one) for one in enumerate(
            listed(body, "interactions", self.settings.rows, "/interactions"), start=1
        )]  # fmt: skip
        if self.journal is None:
            raise RequestError("There is no folder for new interactions", status=501, where="/interactions",
                               fix="Serve a run folder, or name one with --journal.")  # fmt: skip
        # What is known already is on the disk already: a request that comes again makes nothing longer.
        pairs: dict[tuple[str, str], dict[str, Any]] = {}
        for record in records:
            pairs.setdefault((record["user"], record["item"]), record)
        new = [record for pair, record in pairs.items() if not self.live.knows(*pair)]
        if new:
            await asyncio.wrap_future(self.journal.add(new))
        added = sum(map(self._take, new))
        return response({"added": added, "known": len(records) - added})

    async def _items(self, request: Request) -> Response:
        sought, limit = request.query_params.get("q", ""), request.query_params.get("limit", str(_FOUND))
        if not limit.isdecimal() or len(limit) > _DIGITS:
            raise RequestError("limit is not a number", where="/items", got=limit, accepted=f"1 to {_MOST}")
        most = whole("limit", int(limit))
        found = await asyncio.get_running_loop().run_in_executor(None, self.shelf.search, sought, most)
        return response({"items": found})

    def _index(self) -> Nearest | None:
        """The index over the items, where they are many and the model has vectors of them."""
        model = self.application.recommender
        if model.n_items < self.settings.index_from or not hasattr(model, "factors"):
            return None
        _, items, biases = model.factors(self.application.kept.asked(np.zeros(0, dtype=np.int64)))
        return Nearest.of(items, biases)

    def _take(self, record: Mapping[str, Any]) -> bool:
        """Folds an interaction in; one of an item that is no longer known, in a journal of before, is left out."""
        known = self.application.kept.item_ids.positions([record.get("item")])[0] != UNKNOWN
        return known and self.live.add(record.get("user"), record["item"], record.get("rating"))


def _way_on(ask: Ask, wish: Wish) -> str:
    """What somebody can do who got no list."""
    if ask.where:
        return "Ask for another value of where, or leave it out; see GET /about for its choices."
    return "Search for items with GET /items?q=TEXT." if wish.history else "Name a known user, or give a history."


def whole(where: str, value: Any) -> int:
    """A count from 1 to 1000.

    Raises:
        RequestError: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _MOST:
        raise RequestError(f"{where} cannot have this value", where=where, got=value, accepted=f"1 to {_MOST}")
    return value
