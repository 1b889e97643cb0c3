"""Figures as a table for people. Pure: text in, text out is rich's business."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from tests.bench.figures import Figure

_WIDTH = 20
_GATE = "│"


def make_table(figures: Sequence[Figure]) -> Table:
    """Return the figures with a bar each: full at the moonshot, the gate marked in it."""
    table = Table("#", "figure", "value", "limit", "ratio", "spread", "gate", "moonshot", "", "")
    for column in table.columns[2:8]:
        column.justify = "right"
    for column in table.columns[4:]:
        column.no_wrap = True
    for one in figures:
        goal = one.goal
        spread = one.ratios or one.values
        table.add_row(
            "" if goal.number is None else str(goal.number),
            goal.title,
            f"{_short(one.value)} {goal.unit}",
            "" if one.limit is None else f"{_short(one.limit)}\n{goal.limit}",
            "" if one.ratio is None else _short(one.ratio),
            f"{_short(min(spread))}..{_short(max(spread))}",
            "" if goal.gate is None else f"{'≤' if goal.is_less_better else '≥'} {_short(goal.gate)}",
            "" if goal.moonshot is None else _short(goal.moonshot),
            _bar(one),
            "" if goal.gate is None else ("[green]met[/]" if one.is_met else "[red]NOT MET[/]"),
        )
    return table


def _bar(figure: Figure) -> str:
    goal = figure.goal
    if goal.gate is None or goal.moonshot is None:
        return ""
    full = max(goal.moonshot, goal.gate)
    if goal.is_less_better:
        full, reached, gate = 1.0, goal.moonshot / figure.measure, goal.moonshot / goal.gate
    else:
        reached, gate = figure.measure / full, goal.gate / full
    filled = min(_WIDTH, round(reached * _WIDTH))
    cells = list("█" * filled + "·" * (_WIDTH - filled))
    cells[min(_WIDTH - 1, round(gate * _WIDTH))] = _GATE
    colour = "cyan" if figure.reaches(goal.moonshot) else "green" if figure.is_met else "red"
    return f"[{colour}]{''.join(cells)}[/]"


def _short(number: float) -> str:
    if number >= 1_000:
        return f"{number:,.0f}"
    return f"{number:.3g}"
