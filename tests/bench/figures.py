"""Goals, and what a series of rounds says about them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """What is hoped for. `gate` and `moonshot` are ratios to the limit, or values where there is no limit."""

    name: str
    number: int | None = None  # in PERFORMANCE.md
    title: str
    unit: str
    limit: str = ""  # what the limit is; empty: none is measured
    gate: float | None = None
    moonshot: float | None = None
    is_less_better: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """One goal, measured: a value for each round, and the limit of the same round where there is one."""

    goal: Goal
    values: tuple[float, ...]
    limits: tuple[float, ...] = ()
    more: str = ""

    def __post_init__(self) -> None:
        if not self.values or (self.goal.limit and len(self.limits) != len(self.values)):
            raise ValueError(f"{self.goal.name}: each round has a value, and a limit where the goal names one")

    @property
    def value(self) -> float:
        return median(self.values)

    @property
    def limit(self) -> float | None:
        return median(self.limits) if self.limits else None

    @property
    def ratios(self) -> tuple[float, ...]:
        """The quotient of each round."""
        return (
            tuple(value / limit for value, limit in zip(self.values, self.limits, strict=True)) if self.limits else ()
        )

    @property
    def ratio(self) -> float | None:
        return median(self.ratios) if self.limits else None

    @property
    def measure(self) -> float:
        """What the gate is held against."""
        return self.value if self.ratio is None else self.ratio

    def reaches(self, mark: float | None) -> bool:
        """Tell whether the measure is at least as good as a mark; no mark is always reached."""
        if mark is None:
            return True
        return self.measure <= mark if self.goal.is_less_better else self.measure >= mark

    @property
    def is_met(self) -> bool:
        return self.reaches(self.goal.gate)

    def tell(self) -> dict[str, Any]:
        """Return the figure for JSON."""
        spread = self.ratios or self.values
        return {
            "name": self.goal.name,
            "goal": self.goal.number,
            "title": self.goal.title,
            "value": self.value,
            "unit": self.goal.unit,
            "limit": self.limit,
            "limit_is": self.goal.limit or None,
            "ratio": self.ratio,
            "spread": [min(spread), max(spread)],
            "gate": self.goal.gate,
            "moonshot": self.goal.moonshot,
            "less_is_better": self.goal.is_less_better,
            "met": self.is_met,
            "values": list(self.values),
            "limits": list(self.limits),
            "note": " ".join(text for text in (self.goal.note, self.more) if text),
        }


def choose_percentile(values: Sequence[float], percent: int) -> float:
    """Return the smallest value that `percent` of a hundred do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]
