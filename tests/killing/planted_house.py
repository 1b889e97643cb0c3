"""The same bug as in `planted`, where tills are answered. `scripts/kill --house N --planted` starts it in the product's place."""

from __future__ import annotations

import sys

from node.desks.partners import tills_api
from protocol.commands import main
from tests.killing import planted

planted.EARLY = ("tell", "refund", "claim")
# A till that waits for the accounts is answered after the commit whatever we do: so it is told that it is pending.
tills_api.add_tills_doors.__kwdefaults__["wait_seconds"] = 0.0

if __name__ == "__main__":
    sys.exit(main())
