"""A node as a process with callers inside it, as a portal's pages are: they ask the federation room, not the HTTP API.

    python -m tests.bench.portal FOLDER

It serves the node as `citizen-miles node serve` does. It prints its port (logs go to standard error); then, for each line of standard input, a
request body of `/v1/cessions`, one caller a line cedes, all at once; it prints when they began (monotonic seconds).
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

import uvloop

from node.app import NodeApp
from node.desks.accounts.requests import CessionItem, read_cession, read_cession_lines
from node.federation.cessions import AskCession, CessionView
from node.house_app import HouseApp
from protocol.house import BaseName
from protocol.running.logs_service import set_up_logs


async def _cede(node: NodeApp, asked: AskCession) -> None:
    view: CessionView = await node.book.write(node.federation.cede, asked)
    assert not view.is_repeat


async def _serve(folder: Path) -> None:
    set_up_logs(level="warning")
    house = HouseApp(folder, [BaseName.ACCOUNTS])
    node = house.node
    assert node is not None
    serving = asyncio.create_task(house.serve(lambda port: print(port, flush=True)))
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.buffer.readline):
        items = [item for item in read_cession_lines(line) if isinstance(item, CessionItem)]
        asked = [read_cession(item, node.home) for item in items]
        print(time.perf_counter(), flush=True)
        await asyncio.gather(*(_cede(node, one) for one in asked))
    serving.cancel()


if __name__ == "__main__":
    uvloop.run(_serve(Path(sys.argv[1])))
