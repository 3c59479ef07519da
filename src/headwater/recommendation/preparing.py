"""From the user's data to interactions that are learnt from, chosen by and tested on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from headwater.data.cells import read_cells
from headwater.data.preparing import Prepared
from headwater.data.quarantine import Quarantine, quarantine
from headwater.data.records import Problem, Records
from headwater.errors import DataError, SettingError, unknown
from headwater.options import refuse_unread
from headwater.recommendation import cleaning, journals, protocols
from headwater.recommendation.auditing import audit, counted
from headwater.recommendation.folders import files_in, is_folder
from headwater.recommendation.ids import Ids
from headwater.recommendation.interactions import Interactions
from headwater.recommendation.protocols import GIVEN, TEST, TRAIN, VALID, Wanted
from headwater.recommendation.roles import Columns, Part, find_columns
from headwater.recommendation.tables import Table, read_table
from headwater.settings import Settings

IDLE: Final = ("target", "group", "strategy", "last_layers", "lora_rank", "trust_remote_code")
"""Settings of every run that nothing here reads."""
_CANONICAL: Final = {b"headwater": b"interactions"}
_PARTS: Final = {"train": TRAIN, "training": TRAIN, "valid": VALID, "validation": VALID, "dev": VALID, "test": TEST}


@dataclass(frozen=True, kw_only=True)
class Divided(Prepared):
    """Interactions ready for `fit` and `evaluate`: all in one, with the part of each.

    Attributes:
        interactions: every usable one, each pair once.
        parts: `TRAIN`, `VALID`, `TEST` or `GIVEN`, int8 of shape (interactions,).
        columns: what the columns of the data are called.
        items, users: what is told of them; None where nothing is.
        protocol: what the test is, in words.
        cold: whether the items of the test alone are ranked.
    """

    interactions: Interactions
    parts: np.ndarray
    columns: Columns
    items: Table | None = None
    users: Table | None = None
    protocol: str = ""
    cold: bool = False

    def of(self, *parts: int) -> Interactions:
        """The interactions of some parts."""
        return self.interactions.take(np.isin(self.parts, parts))

    def __str__(self) -> str:
        found, split = self.findings["audit"], self.findings["split"]
        aside = len(self.problems) - sum(told["set_aside"] for told in found["tables"].values())
        first = f", the first: {self.problems[0]}" if aside else ""
        shown = ", ".join(f"{role} {name}" for role, name in vars(self.columns).items() if name)
        lines = {
            "columns": shown,
            "data": f"{counted(found['rows'], 'interaction')} of {counted(found['users'], 'user')} with "
            f"{counted(found['items'], 'item')}",
            "rows": f"{found['rows']:,} usable, {aside:,} set aside{first}",
            **{role: _table_in_words(told) for role, told in found["tables"].items()},
            "journal": f"{found['journal']:,} of these interactions came while serving" if found["journal"] else "",
            "merged": f"{found['merged']:,} that came again" if found["merged"] else "",
            "split": f"{split['rule']}: {len(self.train):,} train, {len(self.valid):,} valid, {len(self.test):,} test",
            "test": self.protocol,
        }
        warnings = [f"warning  {warning}" for warning in found["warnings"]]
        return "\n".join([*(f"{name:8} {text}" for name, text in lines.items() if text), *warnings])


@dataclass(frozen=True)
class _Gathered:
    """The rows of all files, with the part that their file or a column gives each."""

    interactions: Interactions
    parts: np.ndarray
    columns: Columns
    problems: list[Problem]
    aside: Quarantine
    merged: int
    journal: int = 0


def prepare(source: Any, settings: Settings, *, want_test: bool, valid: Any = None) -> Divided:
    """Reads interactions and divides them.

    Rows that lack a user or an item, or whose rating or time cannot be, are set aside. Where a user and an item come
    together more than once, the latest row counts; the last one, where no time is known.

    Args:
        source: what `read_cells` takes, or a folder as `files_in` knows it; a cell of the item column may hold a list.
        settings: columns, shares, protocol, tables of items and users, a journal, files of their own for validation and
            test.
        want_test: whether a test is held out, or read from `settings.test`.
        valid: a source of validation rows; that of `settings.valid`, else a share of the rest, if not given.

    Raises:
        DataError: the data cannot be read, has too many bad rows, or leaves nothing to learn from or to test on.
        SettingError: a setting has no part in recommendation, or two contradict each other.
    """
    refuse_idle(settings)
    if is_folder(source):
        source, settings = _unpacked(Path(source), settings)
    _refuse_columns_of_nothing(settings)
    tables = {
        role: read_table(path, role, settings) if (path := getattr(settings, f"{role}s")) else None
        for role in ("item", "user")
    }
    further = {VALID: settings.valid if valid is None else valid, TEST: settings.test if want_test else None}
    sources = {TRAIN: source, **{part: one for part, one in further.items() if one is not None}}
    found = _gather(sources, settings, tables["item"])
    protocol, parts = _parts(found, settings, want_test=want_test)
    if protocol == "cold-items" and want_test:
        parts[(parts == VALID)] = TRAIN
    _refuse_nothing(parts, settings, source, want_test=want_test)
    problems = [*found.problems, *(problem for table in tables.values() if table for problem in table.problems)]
    rows = {name: int((parts == part).sum()) for name, part in (("train", TRAIN), ("valid", VALID), ("test", TEST))}
    told = protocols.sentence(protocol, settings.test_share, settings.split)
    split: dict[str, Any] = {"rule": protocol, "test": told, "rows": rows}
    if (parts == GIVEN).any():
        split["given"] = int((parts == GIVEN).sum())
    findings = {
        "audit": audit(found.interactions, tables, found.merged) | {"journal": found.journal},
        "split": split,
        "quarantine": found.aside.summary(),
    }
    fields: Any = Part((found.columns.user,)), Part((found.columns.item,))
    return Divided(
        *(to_records(found.interactions.take(parts == part)) for part in (TRAIN, VALID, TEST)),
        fields=fields, problems=problems, findings=findings,
        interactions=found.interactions, parts=parts, columns=found.columns, items=tables["item"],
        users=tables["user"], protocol=told, cold=protocol == "cold-items",
    )  # fmt: skip


def _unpacked(folder: Path, settings: Settings) -> tuple[str, Settings]:
    """The file of interactions in a folder, and the settings with the tables that stand beside it."""
    files = files_in(folder, [kind for kind in ("items", "users") if getattr(settings, kind)])
    named = {kind: getattr(settings, kind) or getattr(files, kind) for kind in ("items", "users")}
    return files.interactions, replace(settings, **named)


def read_interactions(source: Any, settings: Settings) -> tuple[Records, Columns]:
    """The rows of a source with canonical columns, those that cannot be used marked. Of a folder the tables are left.

    Raises:
        NotFoundError, DataError: as `read_cells` and `find_columns` do; there is no row.
    """
    if is_folder(source):
        source = files_in(Path(source), ("items", "users")).interactions
    records = read_cells(source, settings, offline=settings.offline)
    columns = find_columns(records, settings)
    if not len(records):
        raise DataError("There are column names but no rows", where=records.name, got=records.columns)
    wide = cleaning.spread(records, columns)
    told = cleaning.marked(wide, columns)
    if settings.split in wide.columns:
        told = replace(told, table=told.table.append_column("split", wide.table.column(settings.split)))
    return told, columns


def to_records(interactions: Interactions) -> Records:
    """Interactions as records with the columns user, item, and rating and time where there are any."""
    table: dict[str, Any] = {
        "user": _dictionary(interactions.users, interactions.user_ids),
        "item": _dictionary(interactions.items, interactions.item_ids),
    }
    if interactions.rated:
        table[cleaning.RATINGS] = pa.array(interactions.values, pa.float64())
    if interactions.times is not None:
        table[cleaning.TIMES] = pa.array(interactions.times)
    return Records(pa.table(table).replace_schema_metadata(_CANONICAL))


def is_canonical(records: Records) -> bool:
    """Whether records are what `to_records` gave."""
    return (records.table.schema.metadata or {}).items() >= _CANONICAL.items()


def latest_pairs(interactions: Interactions) -> np.ndarray:
    """The rows that stay where a pair of a user and an item comes more than once."""
    pairs = interactions.users.astype(np.int64) * len(interactions.item_ids) + interactions.items
    return cleaning.latest(pairs, interactions.times)


def of_records(records: Records, user_ids: Ids, item_ids: Ids) -> Interactions:
    """The interactions of usable canonical records; those of unknown users or items have the position -1."""
    rows = records.usable
    table = records.table if len(rows) == len(records) else records.table.take(pa.array(rows))
    users, items = (
        ids.encoded(cleaning.ids_of(table.column(name))[0]) for name, ids in (("user", user_ids), ("item", item_ids))
    )
    rated, timed = cleaning.RATINGS in table.column_names, cleaning.TIMES in table.column_names
    values = table.column(cleaning.RATINGS).to_numpy().astype(np.float32) if rated else np.ones(len(users), np.float32)
    times = table.column(cleaning.TIMES).to_numpy() if timed else None
    return Interactions(users, items, values, times, user_ids, item_ids, rated)


def refuse_idle(settings: Settings) -> None:
    """Refuses settings that would be ignored without a word.

    Raises:
        SettingError: says which.
    """
    refuse_unread(settings, IDLE, "recommendation", {"target": "--user and --item for the columns"})


def _refuse_columns_of_nothing(settings: Settings) -> None:
    """Refuses columns of the items' table where there is none."""
    for name in ("text", "image"):
        if getattr(settings, name) and not settings.items:
            raise SettingError(
                f"{name} names columns of the table of items, which is not given", where=f"--{name}",
                got=list(getattr(settings, name)), fix=f"Give the table with --items, or leave --{name} out.",
            )  # fmt: skip


def _gather(sources: Mapping[int, Any], settings: Settings, items: Table | None) -> _Gathered:
    """All rows of some sources, each with its part, as interactions with common ids."""
    if len(sources) > 1 and settings.split:
        raise SettingError(
            "A column and files both say which rows are held out", where="--split", got=settings.split,
            fix="Keep one of them.",
        )  # fmt: skip
    aside, problems, read = Quarantine(), [], []
    for part, one in sources.items():
        records, columns = read_interactions(one, settings)
        good, bad = quarantine(records, settings.quarantine_share)
        aside.add(records)
        problems += bad
        read.append((part, good, columns))
    if settings.journal:
        read.append((TRAIN, journals.beside(Path(settings.journal), read[0][1]), read[0][2]))
    first = read[0][2]
    tables = [good.table for _, good, _ in read]
    together = Records(_joined(tables))
    encoded = {name: cleaning.ids_of(together.table.column(name))[0] for name in ("user", "item")}
    ids = {name: _drawn(column.dictionary.to_pylist(), settings.seed) for name, column in encoded.items()}
    if items is not None:
        ids["item"] = Ids.of([*ids["item"].names, *items.ids.names])
    interactions = of_records(together, ids["user"], ids["item"])
    parts = np.repeat([part for part, _, _ in read], [len(good) for _, good, _ in read]).astype(np.int8)
    if settings.split:
        parts = _by_column(together, settings.split)
    pairs = interactions.users.astype(np.int64) * len(ids["item"]) + interactions.items
    kept = cleaning.latest(pairs, parts, interactions.times)
    new = len(tables[-1]) if settings.journal else 0
    return _Gathered(interactions.take(kept), parts[kept], first, problems, aside, len(pairs) - len(kept), new)


def _joined(tables: list[pa.Table]) -> pa.Table:
    """The rows of several files, whose ids are texts unless all are numbers."""
    if len(tables) == 1:
        return tables[0]
    columns = {}
    for name in tables[0].column_names:
        parts = [table.column(name) for table in tables if name in table.column_names]
        plain = [part.cast(part.type.value_type) if pa.types.is_dictionary(part.type) else part for part in parts]
        kinds = {part.type for part in plain}
        if len(parts) == len(tables):
            columns[name] = pa.chunked_array(
                [chunk for part in plain for chunk in (part if len(kinds) == 1 else part.cast(pa.string())).chunks]
            )
    return pa.table(columns)


def _drawn(names: list[Any], seed: int) -> Ids:
    """Ids in random order: where scores are equal, what was read first must not come first."""
    return Ids([names[place] for place in np.random.default_rng(seed).permutation(len(names)).tolist()])


def _by_column(records: Records, column: str) -> np.ndarray:
    """The part that a column names for each row."""
    if "split" not in records.columns:
        raise unknown("column", column, records.columns, where="--split")
    cells = records.column("split")
    named = [_PARTS.get(str(cell).strip().lower()) for cell in cells]
    wrong = next((row for row, part in enumerate(named) if part is None), None)
    if wrong is not None:
        raise DataError(
            f"A cell of column {column} names no part", where="--split", got=cells[wrong],
            accepted="train, valid, validation, dev, test",
        )  # fmt: skip
    return np.array(named, dtype=np.int8)


def _parts(found: _Gathered, settings: Settings, *, want_test: bool) -> tuple[str, np.ndarray]:
    """The protocol by name, and the part of each interaction."""
    protocol = settings.protocol
    if protocol == "auto":
        protocol = "random" if settings.time in (None, "", "no") else "time"
    parts = found.parts.copy()
    here = set(np.unique(parts).tolist())
    if TEST in here:
        name = "split" if settings.split else "files"
        protocol = "random" if protocol in ("cold-items", "cold-users") else protocol
        rest = np.flatnonzero(parts == TRAIN)
        wanted = Wanted(protocol, 0.0, 0.0 if VALID in here else settings.valid_share, settings.seed)
        parts[rest] = protocols.divided(found.interactions.take(rest), wanted)
        return name, parts
    rest = np.flatnonzero(parts == TRAIN)
    valid = 0.0 if VALID in here or protocol in ("cold-items", "cold-users") else settings.valid_share
    wanted = Wanted(protocol, settings.test_share if want_test else 0.0, valid, settings.seed)
    parts[rest] = protocols.divided(found.interactions.take(rest), wanted)
    return protocol, parts


def _refuse_nothing(parts: np.ndarray, settings: Settings, source: Any, *, want_test: bool) -> None:
    counts = np.bincount(parts, minlength=4)
    for part, name in ((TRAIN, "learn from"), (TEST, "test on")):
        if not counts[part] and (part == TRAIN or want_test):
            raise DataError(
                f"No interaction is left to {name}", where=str(source) if isinstance(source, str) else "data",
                got=f"{len(parts)} interactions",
                fix="Give more interactions of each user, or another --protocol.",
            )  # fmt: skip


def _table_in_words(told: Mapping[str, Any]) -> str:
    aside = f", {told['set_aside']:,} set aside" if told["set_aside"] else ""
    lack = f"{told['not_described']:,} others have no row" if told["not_described"] else "all are described"
    return f"{counted(told['rows'], 'row')} of {told['name']} by {told['column']}{aside}; {lack}"


def _dictionary(places: np.ndarray, ids: Ids) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(places.astype(np.int32)), pa.array(list(ids.names)))
