"""The report as one HTML page."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headwater.evaluation.report import Report


def page(report: Report) -> str:
    """The page."""
    return ""
