"""The rule of a pool: who may give, how many classes of receivers there are, how shares are computed. Pure.

It never changes: whoever wants another rule opens another pool. Classes are numbers; what they stand for is not here.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec import Struct

from protocol.amounts import CENTS_MAX
from protocol.errors import Malformed

CLASSES_MAX: Final = 9
RECEIVERS_MAX: Final = 20_000  # of a pool
UNITS_MAX: Final = 1_000
TITLE_MAX: Final = 120


class Givers(StrEnum):
    """Who may give to a pool; several of them together."""

    ANYBODY = "anybody"  # any account, here or abroad
    LISTED = "listed"  # accounts and addresses on the pool's list
    COMPANIES = "companies"  # credits of companies: campaigns, and files of operations for staff and suppliers


class Sharing(StrEnum):
    """How shares are computed."""

    EQUAL = "equal"
    WEIGHTED = "weighted"  # by the units of each receiver's class
    FILL = "fill"  # the lowest balances are raised together, up to a level


class PoolRule(Struct, frozen=True, kw_only=True):
    """`units` are tenths of a household unit, one number for each class, where shares are weighted.

    `ceiling` is the most that one receiver gets of an operation (0: no ceiling), `level` what balances are raised to.
    """

    givers: tuple[Givers, ...]
    classes: int
    sharing: Sharing
    units: tuple[int, ...] = ()
    ceiling: int = 0
    level: int = 0

    def __post_init__(self) -> None:
        if not self.givers or list(self.givers) != sorted(set(self.givers)):
            raise Malformed(field="givers", reason="some of anybody, companies, listed, each once, in this order")
        if not 1 <= self.classes <= CLASSES_MAX:
            raise Malformed(field="classes", reason=f"a pool has 1 to {CLASSES_MAX} classes")
        if len(self.units) != (self.classes if self.sharing is Sharing.WEIGHTED else 0):
            raise Malformed(field="units", reason="one number for each class where shares are weighted, else none")
        if any(not 1 <= units <= UNITS_MAX for units in self.units):
            raise Malformed(field="units", reason=f"1 to {UNITS_MAX} tenths of a household unit")
        if not 0 <= self.ceiling <= CENTS_MAX:
            raise Malformed(field="ceiling", reason="a ceiling is an amount in cents, or none")
        if (self.level > 0) is not (self.sharing is Sharing.FILL) or not 0 <= self.level <= CENTS_MAX:
            raise Malformed(field="level", reason="an amount in cents where balances are filled up, else none")

    def units_of(self, receiver_class: int) -> int:
        """Return the weight of a class: 10, one household unit, where shares are not weighted."""
        return self.units[receiver_class - 1] if self.units else 10


def require_title(title: str) -> str:
    """Return the title. Raises Malformed."""
    if not 1 <= len(title) <= TITLE_MAX or not title.isprintable() or title != title.strip():
        raise Malformed(field="title", reason=f"a title is 1 to {TITLE_MAX} printable characters")
    return title
