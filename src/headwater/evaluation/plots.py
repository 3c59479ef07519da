"""The report's plots as inline SVG: colours come from the page's style, values are told again in tooltips."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

from headwater.evaluation.intervals import Estimate

Point = tuple[float, float]
Reach = tuple[float, float, float]
"""A place, and from where to where several lines lie above it."""


@dataclass(frozen=True)
class Axis:
    """A linear scale from values to positions in the plot.

    Example:
        >>> Axis(0, 1, 100, 200).at(0.5)
        150.0
    """

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        span = (self.high - self.low) or 1.0
        return round(self.start + (value - self.low) / span * (self.end - self.start), 2)

    def ticks(self, most: int = 5) -> list[float]:
        """At most so many round numbers within the scale."""
        span = (self.high - self.low) or 1.0
        step = _step(span, most)
        first = math.ceil(self.low / step - 1e-9)
        return [round(position * step, 10) for position in range(first, math.floor(self.high / step + 1e-9) + 1)]


def scale_of(estimates: Sequence[Estimate]) -> tuple[float, float]:
    """A common scale for intervals side by side: from a round number below all of them to one above.

    Of what lies between 0 and 1 the scale does too.

    Example:
        >>> few = [Estimate(0.72, 0.68, 0.76), Estimate(0.91, 0.9, 0.92)]
        >>> scale_of(few), scale_of([Estimate(-90.0), Estimate(20.0)])
        ((0.6, 1.0), (-100.0, 25.0))
    """
    numbers = [number for one in estimates for number in (one.value, one.low, one.high) if math.isfinite(number)]
    if not numbers:
        return 0.0, 1.0
    lowest, highest = min(numbers), max(numbers)
    if highest > 1 or lowest < -1:
        step = _step(max(highest - lowest, abs(highest) / 10))
        return math.floor(lowest / step - 1e-9) * step, math.ceil(highest / step + 1e-9) * step
    low = max(lowest - 0.02, 0) if lowest >= 0 else lowest - 0.02
    return math.floor(low * 10) / 10, min(math.ceil((highest + 0.02) * 10) / 10, 1.0)


def _step(span: float, most: int = 5) -> float:
    """The least round distance of which a span has at most so many."""
    power = 10.0 ** math.floor(math.log10(span / most))
    return next(size * power for size in (1, 2, 2.5, 5, 10, 20) if span / (size * power) <= most)


def whisker(estimate: Estimate, scale: tuple[float, float], kind: str = "") -> Markup:
    """A mark with its interval, as wide as the table cell it stands in."""
    if not math.isfinite(estimate.value):
        return Markup("")
    axis = Axis(*scale, 1, 99)
    ends = [end if math.isfinite(end) else estimate.value for end in (estimate.low, estimate.high)]
    low, high, middle = (axis.at(number) for number in (*ends, estimate.value))
    return Markup(
        '<svg class="whisker {}" width="100%" height="20" role="img" aria-label="{}"><title>{}</title>'
        '<line class="rail" x1="1%" x2="99%" y1="10" y2="10"/><line class="reach" x1="{}%" x2="{}%" y1="10" y2="10"/>'
        '<line class="value" x1="{middle}%" x2="{middle}%" y1="3" y2="17"/></svg>'
    ).format(kind, estimate, estimate, low, high, middle=middle)


def bar(value: float, most: float, tooltip: str) -> Markup:
    """A horizontal bar, as wide as the table cell it stands in."""
    width = round(100 * value / most, 2) if most else 0
    return Markup(
        '<svg class="bar" width="100%" height="12" role="img" aria-label="{}"><title>{}</title>'
        '<rect width="{}%" height="12" rx="2"/></svg>'
    ).format(tooltip, tooltip, width)


def confusion(classes: Sequence[Any], counts: Sequence[Sequence[int]]) -> Markup:
    """A heat map: a row for each true class, a column for each predicted one, shaded by the share of the row."""
    names = [str(name) for name in classes]
    size = 44 if len(names) <= 12 else 26
    left = 16 + 7.2 * min(max(map(_width, names)), 22)
    top = 26 + (left - 16) * 0.74
    side = size * len(names)
    cells = [
        _confusion_cell(names, (row, column), counts, (left + column * size, top + row * size, size))
        for row in range(len(names))
        for column in range(len(names))
    ]
    labels = [
        Markup('<text class="end" x="{}" y="{}">{}</text>').format(left - 8, top + (row + 0.5) * size + 4, _cut(name))
        + Markup('<text transform="translate({} {}) rotate(-45)">{}</text>').format(
            left + (row + 0.5) * size, top - 8, _cut(name)
        )
        for row, name in enumerate(names)
    ]
    return svg("confusion", left + side + top, top + side + 4, [*labels, *cells], "Confusion matrix")


def reliability(bins: Sequence[dict[str, Any]]) -> Markup:
    """Confidence against the share of right answers, with the number of answers of each bin below."""
    across, up = Axis(0, 1, 48, 388), Axis(0, 1, 300, 24)
    most = max((one["count"] for one in bins), default=1)
    parts = [*frame(across, up, "confidence", "share right"), _path([(48, 300), (388, 24)], "ideal")]
    points = [(across.at(one["confidence"]), up.at(one["accuracy"])) for one in bins]
    parts.append(_path(points, "line"))
    for one, (x, y) in zip(bins, points, strict=True):
        tooltip = f"{one['count']:,} answers: confidence {one['confidence']:.3f}, right {one['accuracy']:.3f}"
        height = 48 * one["count"] / most
        left, right = across.at(one["low"]) + 1, across.at(one["high"]) - 1
        parts.append(Markup('<circle cx="{}" cy="{}" r="4.5"><title>{}</title></circle>').format(x, y, tooltip))
        parts.append(
            Markup('<rect x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>').format(
                left, round(400 - height, 2), round(right - left, 2), round(height, 2), tooltip
            )
        )
    parts.append(Markup('<line class="axis" x1="48" x2="388" y1="400" y2="400"/><text x="48" y="418">answers</text>'))
    return svg("reliability", 404, 424, parts, "Reliability diagram")


def curve(
    points: Sequence[Point], x_name: str, y_name: str, band: Sequence[Reach] = (), beside: Sequence[float] = ()
) -> Markup:
    """A line through points in order, within the band between which it is the middle; its scale is of all `beside`."""
    if not points:
        return Markup("")
    xs, ys = zip(*points, strict=True)
    ends = [*ys, *beside, *(end for _, *pair in band for end in pair)]
    across, up = Axis(min(xs), max(xs), 56, 400), Axis(*padded(min(ends), max(ends)), 190, 22)
    placed = [(across.at(x), up.at(y)) for x, y in points]
    dots = [
        Markup('<circle cx="{}" cy="{}" r="{}"><title>{} {:,.15g}: {} {:.4g}</title></circle>').format(
            *place, 3.5 if len(placed) <= 25 else 2.5, x_name, *point[:1], y_name, *point[1:]
        )
        for place, point in zip(placed, points, strict=True)
    ]
    parts = [*frame(across, up, x_name, y_name), _band(band, across, up), _path(placed, "line")]
    return svg("curve", 424, 232, [*parts, *(dots if len(dots) <= 60 else [])], f"{y_name} by {x_name}")


def _band(band: Sequence[Reach], across: Axis, up: Axis) -> Markup:
    if len(band) < 2:
        return Markup("")
    above = [(across.at(x), up.at(high)) for x, _, high in band]
    below = [(across.at(x), up.at(low)) for x, low, _ in reversed(band)]
    return Markup('<path class="band" d="M{} Z"/>').format(" L".join(f"{x:g} {y:g}" for x, y in [*above, *below]))


def numbered(values: Sequence[float]) -> list[Point]:
    """Values as points above their places, counted from 1.

    Example:
        >>> numbered([4.0, 5.0])
        [(1.0, 4.0), (2.0, 5.0)]
    """
    return [(float(place), float(value)) for place, value in enumerate(values, start=1)]


def quantiles(lengths: dict[str, float], unit: str) -> Markup:
    """A box of the middle half of the rows, whiskers to the 5th and 95th percentile, on a logarithmic scale."""
    numbers = {int(percent): max(float(length), 1.0) for percent, length in lengths.items()}
    if not {5, 25, 50, 75, 95} <= numbers.keys():
        return Markup("")
    shown = _decades(numbers[min(numbers)], numbers[max(numbers)])
    axis = Axis(math.log(shown[0]), math.log(shown[-1]), 24, 576)
    at = {percent: axis.at(math.log(number)) for percent, number in numbers.items()}
    tooltip = ", ".join(f"{percent} %: {number:,.0f}" for percent, number in numbers.items())
    ticks = [
        Markup('<line class="tick" x1="{0}" x2="{0}" y1="38" y2="44"/><text class="middle" x="{0}" y="60">{1}</text>')
        .format(axis.at(math.log(number)), f"{number:,}")
        for number in shown
    ]  # fmt: skip
    box = Markup(
        '<title>{}</title><line class="axis" x1="24" x2="576" y1="38" y2="38"/>'
        '<line class="reach" x1="{}" x2="{}" y1="18" y2="18"/><rect x="{}" y="8" width="{}" height="20" rx="3"/>'
        '<line class="median" x1="{}" x2="{}" y1="8" y2="28"/>'
        '<text class="end" x="576" y="76">{}</text>'
    ).format(tooltip, at[5], at[95], at[25], max(round(at[75] - at[25], 2), 1), at[50], at[50], unit)
    return svg("quantiles", 600, 80, [box, *ticks], f"Lengths in {unit}")


def _confusion_cell(
    names: Sequence[str], cell: tuple[int, int], counts: Sequence[Sequence[int]], place: tuple[float, float, float]
) -> Markup:
    (row, column), (x, y, size) = cell, place
    count, share = counts[row][column], counts[row][column] / (sum(counts[row]) or 1)
    tooltip = f"{names[row]}, taken for {names[column]}: {count:,} ({share:.1%})"
    kind = "hit" if row == column else "miss"
    square = Markup(
        '<g class="{}"><title>{}</title><rect class="floor" x="{x}" y="{y}" width="{side}" height="{side}" rx="2"/>'
        '<rect x="{x}" y="{y}" width="{side}" height="{side}" rx="2" fill-opacity="{}"/>'
    ).format(kind, tooltip, round(share**0.7, 3), x=round(x, 1), y=round(y, 1), side=size - 2)
    if count and size > 40:
        shade = "strong" if share > 0.5 else "faint"
        square += Markup('<text class="middle {}" x="{}" y="{}">{}</text>').format(
            shade, round(x + size / 2 - 1, 1), round(y + size / 2 + 4, 1), _count(count)
        )
    return square + Markup("</g>")


def frame(across: Axis, up: Axis, x_name: str, y_name: str) -> list[Markup]:
    """Grid lines, tick labels and names of two axes."""
    parts = [
        Markup('<line class="grid" x1="{}" x2="{}" y1="{y}" y2="{y}"/><text class="end" x="{}" y="{}">{}</text>')
        .format(across.start, across.end, across.start - 8, up.at(tick) + 4, short(tick), y=up.at(tick))
        for tick in up.ticks()
    ]  # fmt: skip
    parts += [
        Markup('<text class="middle" x="{}" y="{}">{}</text>').format(across.at(tick), up.start + 18, short(tick))
        for tick in across.ticks()
    ]
    parts.append(Markup('<text class="end name" x="{}" y="{}">{}</text>').format(across.end, up.start + 34, x_name))
    parts.append(Markup('<text class="name" x="{}" y="{}">{}</text>').format(across.start, up.end - 11, y_name))
    return parts


def short(number: float) -> str:
    """A number as it stands at an axis.

    Example:
        >>> short(0.25), short(2500), short(20_000), short(1_500_000), short(-1200)
        ('0.25', '2.5k', '20k', '1.5M', '-1.2k')
    """
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(number) >= size:
            return f"{number / size:.4g}{unit}"
    return f"{number:g}"


def _path(points: Sequence[Point], kind: str) -> Markup:
    steps = " L".join(f"{x:g} {y:g}" for x, y in points)
    return Markup('<path class="{}" d="M{}"/>').format(kind, steps) if points else Markup("")


def svg(kind: str, width: float, height: float, parts: Sequence[Markup], name: str) -> Markup:
    """A plot of this kind, size and name for those who do not see it."""
    return Markup(
        '<svg class="plot {}" viewBox="0 0 {:.0f} {:.0f}" style="max-width:{:.0f}px" role="img" {}>{}</svg>'
    ).format(kind, width, height, width, Markup('aria-label="{}"').format(name), Markup("").join(parts))


def padded(low: float, high: float) -> tuple[float, float]:
    """The limits with a margin around them."""
    margin = (high - low) * 0.08 or abs(high) * 0.1 or 1.0
    return low - margin, high + margin


def _decades(low: float, high: float) -> list[int]:
    """1, 2, 5, 10, 20 ... from the last below the limits to the first above; only powers of ten where these are many.

    Example:
        >>> _decades(7, 45), _decades(3, 3)
        ([5, 10, 20, 50], [2, 5])
    """
    digits = (1,) if high / low > 2000 else (1, 2, 5)
    numbers = [digit * 10**power for power in range(math.ceil(math.log10(high)) + 2) for digit in digits]
    first = max((number for number in numbers if number < low), default=1)
    last = next(number for number in numbers if number > max(high, first))
    return [number for number in numbers if first <= number <= last]


def _width(name: str) -> float:
    """The width of a label in Latin letters; wide scripts take almost two."""
    return sum(1.8 if ord(letter) > 0x2E80 else 1 for letter in name)


def _cut(name: str, most: int = 22) -> Markup:
    shown = name[:most]
    while _width(shown) > most:
        shown = shown[:-1]
    return escape(name if shown == name else f"{shown}…")


def _count(number: int) -> str:
    return str(number) if number < 10_000 else f"{number / 1000:.0f}k"
