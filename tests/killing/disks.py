"""A small disk of its own for one party: it can be filled, cleared, and made read-only while nobody uses it.

A file system in memory, mounted for the test. Where this user may not mount, the process may write no byte to any file
instead (RLIMIT_FSIZE): the same refusals reach the same code, but for the error's name.
"""

from __future__ import annotations

import errno
import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.node.parties import Party

MEGABYTES: Final = 24
_BALLAST: Final = "ballast"
_NO_LIMIT: Final = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


class Disk:
    """Where a party's folder lies. `fill` and `clear` work while the party runs."""

    def __init__(self, folder: Path, *, is_mounted: bool) -> None:
        self.folder = folder
        self.is_mounted = is_mounted

    def fill(self, party: Party) -> None:
        """Leave no byte free."""
        if not self.is_mounted:
            assert party.process is not None
            resource.prlimit(party.process.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
            return
        # Without a buffer, and down to the last byte: half a page of room is room for a small file.
        handle = os.open(self.folder / _BALLAST, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            for size in (1 << 20, 1 << 12, 1):
                while True:
                    try:
                        os.write(handle, bytes(size))
                    except OSError as error:
                        if error.errno != errno.ENOSPC:
                            raise
                        break
        finally:
            os.close(handle)

    def clear(self, party: Party) -> None:
        """Make room again."""
        if not self.is_mounted:
            assert party.process is not None
            resource.prlimit(party.process.pid, resource.RLIMIT_FSIZE, _NO_LIMIT)
            return
        (self.folder / _BALLAST).unlink()

    def set_read_only(self, value: bool) -> None:
        """Make it read-only, or writable again. The system lets nobody do that to a disk that somebody writes."""
        if self.is_mounted:
            _mount("-o", f"remount,{'ro' if value else 'rw'}", self.folder)
        else:
            for path in (self.folder, *self.folder.rglob("*")):
                path.chmod(0o500 if value else 0o700)


@contextmanager
def small_disk(folder: Path) -> Iterator[Disk]:
    """Make an empty disk at this folder, and take it away afterwards."""
    folder.mkdir()
    is_mounted = _try_mount("-t", "tmpfs", "-o", f"size={MEGABYTES}m", "tmpfs", folder)
    try:
        yield Disk(folder, is_mounted=is_mounted)
    finally:
        if is_mounted:
            subprocess.run(["umount", "--lazy", folder], check=True)


def _mount(*words: object) -> None:
    subprocess.run(["mount", *map(str, words)], check=True, capture_output=True)


def _try_mount(*words: object) -> bool:
    return subprocess.run(["mount", *map(str, words)], check=False, capture_output=True).returncode == 0
