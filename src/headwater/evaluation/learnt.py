"""Whether the rows that are measured on are those an application was made from, whose figures flatter it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from headwater.data import reading
from headwater.data.records import Records
from headwater.evaluation.report import Report

log = logging.getLogger("headwater")
_HEARD: Final = "These rows took part in the making of the application: its figures here are better than on new rows."
_OF_OTHERS: Final = {
    "valid": "the rows of --valid, which chose between its settings",
    "source": "the rows of --source, from which it has learnt as well",
    "unlabelled": "the rows of --unlabelled, from which it has learnt without their labels",
}


def noted(measured: Report, source: Any, made: Report | None, *, offline: bool = False) -> Report:
    """What was measured, with a note where the source is what the application was made from.

    The whole source is known by its hash, whatever it is called now; rows of it in another file are not.

    Args:
        measured: the report of the application on the rows of the source.
        source: where these came from.
        made: the report of how the application was made; nothing is known without one.
        offline: refuse what needs the network.
    """
    hashes = {} if made is None else made.provenance.get("hashes", {})
    # What `prepare` divided is measured on rows that it held out.
    if made is None or not hashes or isinstance(source, Records):
        return measured
    try:
        digest = reading.hash_of(source, offline=offline)
    except OSError:  # a file that nobody may read: an application is made of data that can be hashed whole
        return measured
    # Rows held out in a file of their own are new to it, whatever else they are.
    role = next((role for role in ("test", "data", *_OF_OTHERS) if hashes.get(role) == digest), "test")
    if role == "test":
        return measured
    log.warning("%s", _HEARD)
    told = _of_data(made.rows, hashes) if role == "data" else f"These are {_OF_OTHERS[role]}"
    return replace(
        measured, notes=[*measured.notes, f"{told}: the figures are optimistic, and better than on new rows."]
    )


def _of_data(rows: Mapping[str, int], hashes: Mapping[str, str]) -> str:
    """How many rows of the data took part, and how many did not, as far as they came from no file of their own."""
    taught = f"{rows['train']:,} of them taught it" if "train" in rows else "some of them taught it"
    chose = f", {rows['valid']:,} chose between its settings" if rows.get("valid") and "valid" not in hashes else ""
    held = f", {rows['test']:,} were held out" if rows.get("test") and "test" not in hashes else ""
    own = "; its own report has the figures of those held out" if held else ""
    return f"These are the rows that the application was made from ({taught}{chose}{held}{own})"
