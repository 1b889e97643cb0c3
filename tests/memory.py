"""Where tests keep their files: in memory where the system has such a place, since a disk is waited for at each commit.

Nothing less is proved: books ask for the same durability, and what a process wrote before it was killed is there for the
next one on either. What only a disk can lose, it loses with the machine, and no test cuts that off. A stopwatch measures
the disk, and full disks are made by hand (`tests/killing/disks.py`).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

_SHARED: Final = Path("/dev/shm")  # noqa: S108 - whoever uses it makes a folder of their own there
_FREE_BYTES_MIN: Final = 4 << 30


def find_memory() -> Path | None:
    """Return a folder in memory with room for a run, where programs may be started; None where there is none."""
    if not os.access(_SHARED, os.W_OK | os.X_OK):
        return None
    told = os.statvfs(_SHARED)
    has_room = told.f_bavail * told.f_frsize >= _FREE_BYTES_MIN
    return _SHARED if has_room and not told.f_flag & os.ST_NOEXEC else None
