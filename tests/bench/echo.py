"""A bare aiohttp server on uvloop that gives back what it gets: the limit of what HTTP costs."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import uvloop
from aiohttp import web


async def _echo(request: web.Request) -> web.Response:
    return web.Response(body=await request.read(), content_type="application/json")


async def _serve(file: Path) -> None:
    application = web.Application()
    application.router.add_post("/", _echo)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    written = file.with_suffix(".new")
    written.write_text(str(runner.addresses[0][1]))
    written.rename(file)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(_serve(Path(sys.argv[1])))
