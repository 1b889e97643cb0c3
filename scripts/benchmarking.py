"""Measure the product beside the limits of this machine, in the same interleaved run.

  scripts/bench                        all goals, five rounds
  scripts/bench bulk cessions          these families
  scripts/bench --rounds 9 --json F    more rounds; figures to F
  scripts/bench --large                the long ones too: 10⁶ messages, 1 255 members
  scripts/bench --list                 the families

It ends with 1 where a gate is not reached. Source: shared design, PERFORMANCE.md.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from rich.console import Console

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from tests.bench.report import make_table  # noqa: E402 - from the folder that the line above names
from tests.bench.sizes import TINY, Sizes  # noqa: E402
from tests.bench.stopwatch import FAMILIES, USUAL, end_code, measure, save  # noqa: E402

_WIDTH_MIN = 140  # narrower, and the bars say nothing


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(FAMILIES)}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument("--rounds", type=int, metavar="R", help="how often each pair is measured (5)")
    parser.add_argument(
        "--large", action="store_true", help="the long ones too, and 10⁶ messages in growth (10⁷: --messages)"
    )
    parser.add_argument("--messages", type=int, nargs="*", metavar="N", help="how many messages growth looks at")
    parser.add_argument("--tiny", action="store_true", help="sizes that say nothing, to try the stopwatch itself")
    parser.add_argument("--list", action="store_true", help="list the families")
    asked = parser.parse_args()
    if asked.list:
        print("\n".join(FAMILIES))
        return 0
    for name in asked.names:
        if name not in FAMILIES:
            parser.error(f"{name} is none of {', '.join(FAMILIES)}")
    if asked.rounds is not None and asked.rounds < 1:
        parser.error("at least one round")
    sizes = TINY if asked.tiny else Sizes()
    if asked.rounds:
        sizes = replace(sizes, rounds=asked.rounds)
    if asked.large and not asked.tiny:
        sizes = replace(sizes, growth=(10_000, 100_000, 1_000_000))
    if asked.messages:
        sizes = replace(sizes, growth=tuple(asked.messages))
    names = asked.names or list(FAMILIES if asked.large else USUAL)
    console = Console(stderr=True)
    figures = measure(names, sizes, lambda name: console.print(f"[dim]measuring {name}[/]"))
    screen = Console()
    Console(width=max(screen.width, _WIDTH_MIN)).print(make_table(figures))
    for one in figures:
        if note := one.tell()["note"]:
            print(f"{one.goal.name}: {note}")
    if asked.json:
        save(asked.json, figures, sizes)
    missed = [one.goal.name for one in figures if not one.is_met]
    print(f"bench: {'gates not reached: ' + ', '.join(missed) if missed else 'every gate is reached'}")
    return end_code(figures)


if __name__ == "__main__":
    sys.exit(main())
