"""What happens to everybody: time passes, clocks go wrong, members sleep, processes die and disks are full."""

from __future__ import annotations

from typing import Final

from tests.simulation.stage import HUB, MINUTE, Stage

# A fault strikes after so many points of a book's transactions; few make a page, many reach into the next ones.
POINTS_MAX: Final = 60
COMMITS_MAX: Final = 4
DRIFT_PPM: Final = 200_000


def wait(stage: Stage) -> None:
    stage.world.clock.now += stage.dice.randint(1, 30) * MINUTE


def clock_jumps(stage: Stage) -> None:
    """Somebody's clock is suddenly up to two hours off."""
    stage.world.clock_of(_choose_name(stage)).jump(stage.dice.randint(-120, 120) * MINUTE)


def clock_drifts(stage: Stage) -> None:
    """Somebody's clock runs too fast or too slowly from now on."""
    stage.world.clock_of(_choose_name(stage)).drift(stage.dice.randint(-DRIFT_PPM, DRIFT_PPM))


def sleep(stage: Stage) -> None:
    stage.choose_party().is_asleep = True


def wake(stage: Stage) -> None:
    stage.choose_party().is_asleep = False


def process_dies(stage: Stage) -> None:
    """A process will die at one of its next points, whatever it does there."""
    name, (point, at_commits) = _choose_name(stage), _choose_point(stage)
    stage.faults[name].die_at(point, at_commits=at_commits)
    stage.tell(f"{name} will die")


def disk_fills(stage: Stage) -> None:
    name, (point, at_commits) = _choose_name(stage), _choose_point(stage)
    stage.faults[name].fill_disk_at(point, at_commits=at_commits)
    stage.tell(f"{name} will have no room")


def _choose_name(stage: Stage) -> str:
    return stage.dice.choice([HUB, HUB, *stage.parties])


def _choose_point(stage: Stage) -> tuple[int, bool]:
    """Return which point, and whether only those around commits count."""
    if stage.dice.random() < 0.4:
        return stage.dice.randrange(COMMITS_MAX), True
    return stage.dice.randrange(stage.dice.choice((3, 12, POINTS_MAX))), False


ACTIONS = {wait: 3, clock_jumps: 0.7, clock_drifts: 0.7, sleep: 2, wake: 3, process_dies: 5, disk_fills: 3}
