"""The usable rows of a data set that is only looked at: labels are welcome, and may be missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from headwater.data.fields import Target
from headwater.data.quarantine import Quarantine
from headwater.data.records import Records


@dataclass(frozen=True)
class Gathered:
    """Input values, and labels where there are any.

    Attributes:
        records: the usable rows: those that have an input.
        values: the input of each.
        labels: the label of each (a list where several may hold), None where a row has none; None altogether where the
            data has no label column.
        columns: the columns of the `input` and of the `label`.
        aside: what was set aside.
    """

    records: Records
    values: list[Any]
    labels: list[Any] | None
    columns: dict[str, list[str]]
    aside: Quarantine

    def __len__(self) -> int:
        return len(self.values)

    @property
    def name(self) -> str:
        """What to call the data in messages."""
        return self.records.name


def gather(records: Records, field: Any, target: Target | None, quarantine_share: float) -> Gathered:
    """The usable rows of records; a row without an input is set aside, one without a label is not.

    Raises:
        DataError: more than `quarantine_share` of the rows have no input that can be used.

    Example:
        >>> import pyarrow as pa
        >>> from headwater.data.fields import Category, Text
        >>> table = pa.table({"text": ["fine", "", "dull"], "label": ["good", "good", None]})
        >>> found = gather(Records(table), Text(("text",)), Category(("label",)), quarantine_share=0.5)
        >>> found.values, found.labels
        (['fine', 'dull'], ['good', None])
    """
    marked = records.with_problems(field.values(records)[1])
    aside = Quarantine()
    aside.add(marked)
    aside.refuse_over(quarantine_share)
    usable = marked.take(marked.usable)
    columns = {"input": list(field.columns), "label": list(target.columns) if target else []}
    labels = None if target is None else target.cells(usable)
    return Gathered(usable, field.values(usable)[0], labels, columns, aside)
