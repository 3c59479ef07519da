"""The plots of found boxes as inline SVG: pictures with boxes on them, precision by recall, histograms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from markupsafe import Markup

from headwater.evaluation.plots import Axis, frame, svg

_KINDS: Final = ("known", "missed", "right", "wrong", "taught")
_LETTERS: Final = 24
_ADDRESS: Final = "data:image/"
_WIDE, _THICK, _FLOOR = 64, 52, 130


def overlay(value: Mapping[str, Any]) -> Markup:
    """A picture with its boxes; each tells in a tooltip what it is. Empty where the picture cannot be read.

    Args:
        value: `image`, `text`, `width`, `height` and `boxes` (`kind`, `label`, `score`, `place`) of `Gallery`.
    """
    address, width, height = value.get("image"), value.get("width") or 0, value.get("height") or 0
    if not str(address or "").startswith(_ADDRESS) or width <= 0 or height <= 0:
        return Markup("")
    letters = round(max(width, height) / _LETTERS, 1)
    parts = [_box(one, letters) for one in value.get("boxes", []) if one.get("kind") in _KINDS]
    picture = Markup('<image href="{}" width="{}" height="{}" preserveAspectRatio="none"/>').format(
        address, width, height
    )
    return Markup(
        '<svg class="drawn" viewBox="0 0 {0} {1}" role="img" aria-label="{2}"><title>{2}</title>{3}</svg>'
    ).format(width, height, value.get("text", ""), picture + Markup("").join(parts))


def precision_recall(points: Sequence[Sequence[float]], name: str) -> Markup:
    """Precision by recall as steps from the surest box to the last."""
    if not points:
        return Markup("")
    across, up = Axis(0, 1, 40, 268), Axis(0, 1, 176, 22)
    placed = [(across.at(float(recall)), up.at(float(precision))) for recall, precision in points]
    line = " ".join(f"{'L' if place else 'M'}{x:g} {y:g}" for place, (x, y) in enumerate(placed))
    parts = [*frame(across, up, "recall", "precision"), Markup('<path class="line" d="{}"/>').format(line)]
    return svg("curve", 280, 216, parts, f"Precision by recall of {name}")


def histogram(bars: Sequence[Mapping[str, Any]], what: str) -> Markup:
    """Upright bars with their names below; where `found` is told, that share of each is dark.

    Args:
        bars: `name`, `count` and maybe `found` of each.
        what: what is counted, in the plural.
    """
    if not bars:
        return Markup("")
    most = max(int(one["count"]) for one in bars) or 1
    parts = [_upright(one, what, most, 8 + place * _WIDE) for place, one in enumerate(bars)]
    return svg("histogram", 16 + _WIDE * len(bars), _FLOOR + 28, parts, what)


def _upright(one: Mapping[str, Any], what: str, most: int, left: float) -> Markup:
    count, found = int(one["count"]), one.get("found")
    told = f"{one['name']}: {count:,} {what}" + ("" if found is None else f", {int(found):,} found")
    high, middle = 100 * count / most, left + _THICK / 2
    parts = [_bar(left, high, "pale" if found is not None else "full")]
    if found is not None:
        parts.append(_bar(left, 100 * int(found) / most, "full"))
    for y, text in ((_FLOOR - 6 - round(high), f"{count:,}"), (_FLOOR + 18, one["name"])):
        parts.append(Markup('<text class="middle" x="{}" y="{}">{}</text>').format(middle, y, text))
    return Markup("<g><title>{}</title>{}</g>").format(told, Markup("").join(parts))


def _bar(left: float, height: float, kind: str) -> Markup:
    return Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}" rx="2"/>').format(
        kind, left, round(_FLOOR - height, 1), _THICK, round(height, 1)
    )


def _box(one: Mapping[str, Any], letters: float) -> Markup:
    left, top, right, bottom = (float(edge) for edge in one["place"])
    score = one.get("score")
    told = f"{one['label']}{'' if score is None else f' {score:.2f}'}"
    names = {"known": "known", "missed": "known, not found", "right": "found, right", "wrong": "found, wrong",
             "taught": "to be found"}  # fmt: skip
    label = Markup("")
    if one["kind"] != "known":
        label = Markup('<text x="{}" y="{}" style="font-size:{}px">{}</text>').format(
            round(left, 1), round(max(top - letters * 0.25, letters), 1), letters, told
        )
    return Markup(
        '<g class="{}"><title>{}: {}</title><rect x="{}" y="{}" width="{}" height="{}"/>{}</g>'
    ).format(
        one["kind"], names[one["kind"]], told, left, top, round(right - left, 1), round(bottom - top, 1), label
    )  # fmt: skip
