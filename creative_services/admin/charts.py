"""Stacked bars over days: the geometry of a drawing, and the same numbers as text for the table beside it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from math import floor, log10
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import date
    from decimal import Decimal

    Amounts = Mapping[date, Decimal | int]

WIDTH, HEIGHT = 640, 220
LEFT, RIGHT, TOP, BOTTOM = 64, 632, 12, 194
MOST_SLOTS = 92
MOST_LABELS = 6
TICKS = 4
FILLED = 0.8
"""The share of a slot's width that its bar has."""


@dataclass(frozen=True, slots=True)
class Text:
    """How amounts are written, and the least that an axis must reach for it."""

    write: Callable[..., str]
    least: float = 0.0


@dataclass(frozen=True, slots=True)
class Series:
    """One colour: the name, the class that has the colour, and the outline of the bars."""

    name: str
    css: str
    path: str


@dataclass(frozen=True, slots=True)
class Slot:
    """One day, or one week: where it stands, its label if there is room for one, and its numbers.

    `story` has all that is not 0, for a pointer that rests on it.
    """

    name: str
    label: str
    left: str
    middle: str
    cells: Sequence[str]
    total: str
    story: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing of WIDTH by HEIGHT. Its numbers are texts, since templates write numbers as the language has them."""

    id: str
    title: str
    summary: str
    slot_width: str
    series: Sequence[Series]
    slots: Sequence[Slot]
    ticks: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Axis:
    """From 0 to `top` in steps that people like."""

    top: float

    @classmethod
    def over(cls, highest: float) -> Axis:
        """The lowest axis on which this can be drawn, with whole numbers at its ticks from four on."""
        power = 10 ** floor(log10(highest)) if highest > 0 else 1
        return cls(next(power * step for step in (1.2, 2, 4, 8, 12) if power * step >= highest))

    def y(self, value: float) -> float:
        """How far down this is."""
        return BOTTOM - (BOTTOM - TOP) * value / self.top


def stacked_bars(
    id: str, title: str, days: Sequence[date], amounts: Mapping[tuple[str, str], Amounts], text: Text
) -> Chart:
    """The amounts of each name and colour, by day, upon one another; where there are many days, by week."""
    size = 1 if len(days) <= MOST_SLOTS else 7
    spans = [days[place : place + size] for place in range(0, len(days), size)]
    table = [[sum(of.get(day, 0) for day in span) for span in spans] for of in amounts.values()]
    totals = [sum(column) for column in zip(*table, strict=True)] or [0] * len(spans)
    axis, width = Axis.over(max(float(max(totals)), text.least)), (RIGHT - LEFT) / len(spans)
    tops = list(accumulate(table, lambda below, row: [a + b for a, b in zip(below, row, strict=True)]))
    return Chart(
        id=id,
        title=title,
        summary=_("%(total)s in all, from %(first)s to %(last)s.")
        % {"total": text.write(sum(totals)), "first": days[0], "last": days[-1]},
        slot_width=_number(width),
        series=[
            Series(name, css, _outline(axis, width, row, top))
            for (name, css), row, top in zip(amounts, table, tops, strict=True)
        ],
        slots=[
            _slot(place, spans, [(name, row[place]) for (name, _css), row in zip(amounts, table, strict=True)], text)
            for place in range(len(spans))
        ],
        ticks=[
            (_number(axis.y(value)), text.write(value)) for value in (axis.top * n / TICKS for n in range(TICKS + 1))
        ],
    )


def _slot(place: int, spans: Sequence[Sequence[date]], amounts: Sequence[tuple[str, Any]], text: Text) -> Slot:
    day, width = spans[place][0], (RIGHT - LEFT) / len(spans)
    total = text.write(sum(amount for _name, amount in amounts))
    name = day.isoformat() if len(spans[0]) == 1 else _("week from %(day)s") % {"day": day}
    return Slot(
        name=name,
        label="" if place % -(-len(spans) // MOST_LABELS) else f"{day:%m-%d}",
        left=_number(LEFT + place * width),
        middle=_number(LEFT + (place + 0.5) * width),
        cells=[text.write(amount) for _name, amount in amounts],
        total=total,
        story="\n".join([f"{name}: {total}", *(f"{of}: {text.write(amount)}" for of, amount in amounts if amount)]),
    )


def _outline(axis: Axis, width: float, row: Iterable[Decimal | int], tops: Iterable[Decimal | int]) -> str:
    """One path for all bars of a colour: a page of thousands of elements would be slow."""
    bars = []
    for place, (value, top) in enumerate(zip(row, tops, strict=True)):
        if value:
            left, upper, lower = (
                LEFT + (place + (1 - FILLED) / 2) * width,
                axis.y(float(top)),
                axis.y(float(top - value)),
            )
            bars.append(
                f"M{_number(left)} {_number(lower)}V{_number(upper)}h{_number(width * FILLED)}V{_number(lower)}z"
            )
    return "".join(bars)


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
