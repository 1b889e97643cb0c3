"""The same bug as in `planted`, where tills are answered. Tests start it in place of the product's program."""

from __future__ import annotations

import sys

from protocol.commands import main
from tests.killing import planted

planted.EARLY = ("tell", "refund", "claim")

if __name__ == "__main__":
    sys.exit(main())
