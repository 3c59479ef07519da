"""Two sets of rows on one plane, as inline SVG: a point a row, with its beginning as the tooltip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from headwater.evaluation.plots import Axis, frame, padded, svg

_WIDTH, _HEIGHT = 720, 460


def scatter(points: Sequence[Mapping[str, Any]], x_name: str, y_name: str) -> Markup:
    """The points of two sides, the source hollow and the target full, so that colour alone tells nothing.

    Args:
        points: each with `x`, `y`, `side` (source or target) and `text`; drawn in this order.
        x_name: what the horizontal axis is.
        y_name: what the vertical axis is.
    """
    if not points:
        return Markup("")
    xs, ys = [float(point["x"]) for point in points], [float(point["y"]) for point in points]
    across = Axis(*padded(min(xs), max(xs)), 48, _WIDTH - 12)
    up = Axis(*padded(min(ys), max(ys)), _HEIGHT - 44, 30)
    dots = [
        Markup('<circle class="{}" cx="{}" cy="{}" r="4"><title>{}: {}</title></circle>').format(
            point["side"], across.at(x), up.at(y), point["side"], point["text"]
        )
        for point, x, y in zip(points, xs, ys, strict=True)
    ]
    parts = [*frame(across, up, x_name, y_name), *dots]
    return svg("map", _WIDTH, _HEIGHT, parts, f"Map of both sides: {y_name} by {x_name}")
