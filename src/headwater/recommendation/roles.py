"""Which column is the user, the item, the rating and the time, under the names that recommenders give them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from headwater.data.records import Records
from headwater.errors import DataError, unknown
from headwater.settings import Settings

USUAL: Final[dict[str, tuple[str, ...]]] = {
    "user": ("user", "user_id", "userid", "uid", "u", "user_idx", "customer", "customer_id", "customerid", "reviewerid",
             "session", "session_id", "sessionid", "visitorid", "account_id", "member_id"),
    "item": ("item", "item_id", "itemid", "iid", "i", "item_idx", "movie", "movie_id", "movieid", "product",
             "product_id", "productid", "asin", "parent_asin", "sku", "stockcode", "book_id", "bookid", "isbn",
             "song_id", "track_id", "artist_id", "artistid", "article_id", "items"),
    "rating": ("rating", "ratings", "score", "stars", "overall", "weight", "preference", "r"),
    "time": ("timestamp", "time", "datetime", "date", "ts", "unixreviewtime", "t", "rating_date", "created_at"),
}  # fmt: skip
"""What the columns are usually called, in lower case."""
_PLAIN: Final = {"text": "user", "text_2": "item"}
"""Pairs from memory come under these names."""
ROLES: Final = tuple(USUAL)


@dataclass(frozen=True)
class Columns:
    """The names of the columns, None for those that the data does not have."""

    user: str
    item: str
    rating: str | None = None
    time: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Those that are there."""
        return tuple(name for name in (self.user, self.item, self.rating, self.time) if name)


@dataclass(frozen=True)
class Part:
    """One column as a field: what `str(prepared)` and a comparison ask of it."""

    columns: tuple[str, ...]
    classes: tuple[str, ...] = ()


def find_columns(records: Records, settings: Settings) -> Columns:
    """The columns that the settings name, or that have a usual name.

    Raises:
        NotFoundError: a column that is named is not there.
        DataError: there is no column of users, or of items, or both are one.

    Example:
        >>> import pyarrow as pa
        >>> find_columns(Records(pa.table({"userId": [1], "movieId": [2], "rating": [3.5]})), Settings())
        Columns(user='userId', item='movieId', rating='rating', time=None)
    """
    user, item = _needed(records, "user", settings.user), _needed(records, "item", settings.item)
    if user == item:
        raise DataError(
            "One column cannot hold both users and items", where=records.name, got=user, accepted=records.columns,
            fix="Name two columns with --user and --item.",
        )  # fmt: skip
    return Columns(user, item, _optional(records, "rating", settings.rating), _optional(records, "time", settings.time))


def id_column(records: Records, role: str, named: str | None) -> str | None:
    """The column of a table that says which user or item a row is of; None where there is none.

    Raises:
        NotFoundError: a column that is named is not there.
    """
    return _optional(records, role, named)


def _needed(records: Records, role: str, named: str | None) -> str:
    found = _optional(records, role, named)
    if found is not None:
        return found
    raise DataError(
        f"There is no column of {role}s", where=records.name, got=records.columns,
        accepted=f"a column named {', '.join(USUAL[role][:6])} or the like", fix=f"Name it with --{role}.",
    )  # fmt: skip


def _optional(records: Records, role: str, named: str | None) -> str | None:
    if named == "no":
        return None
    return next(iter(_named(records, named) or _usual(records, role)), None)


def _named(records: Records, named: str | None) -> list[str]:
    if named is not None and named not in records.columns:
        raise unknown("column", named, records.columns, where=records.name)
    return [] if named is None else [named]


def _usual(records: Records, role: str) -> list[str]:
    """The column with the most usual name, if any has a usual one."""
    known = {_folded(column): column for column in records.columns}
    plain = {role: column for column, role in _PLAIN.items() if column in records.columns}
    found = [known[name] for name in map(_folded, USUAL[role]) if name in known]
    return found[:1] or ([plain[role]] if role in plain else [])


def _folded(name: str) -> str:
    return name.lower().replace("_", "").replace(" ", "").replace("-", "")
