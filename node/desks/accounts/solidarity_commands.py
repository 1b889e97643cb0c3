"""`citizen-miles node solidarity …`: pools, who receives, operations. Each reaches the running node, or opens its book."""

from __future__ import annotations

import time
import uuid
from typing import Annotated, Any

import typer

from node.desks.accounts.call_commands import Folder, call_accounts
from node.options_commands import AsJson, CentsOption, Day, EurosOption, IdOption, InFile, id_or_new
from protocol.running.admin_client import is_served
from protocol.running.console_commands import bar, read_cents, refusals_explained, show

app = typer.Typer(no_args_is_help=True, help="Solidarity: pools with rules, operations, who receives; never why.")
pool = typer.Typer(no_args_is_help=True, help="Pools: who may give, how shares are computed.")
receiver = typer.Typer(no_args_is_help=True, help="Accounts that receive, each under a class that is a number.")
operation = typer.Typer(no_args_is_help=True, help="Operations: days, a target, an address to give to.")
gift = typer.Typer(no_args_is_help=True, help="What was given, by the id of the cession that brought it.")
for name, group in (("pool", pool), ("receiver", receiver), ("operation", operation), ("gift", gift)):
    app.add_typer(group, name=name)

LINES_AT_ONCE = 1_000
FILE_BYTES_MAX = 4 * 1024 * 1024


@pool.command("open")
def open_pool(
    folder: Folder,
    title: str,
    givers: Annotated[str, typer.Option(help="anybody, listed, companies: with commas")] = "anybody,companies",
    sharing: Annotated[str, typer.Option(help="equal, weighted (by class) or fill (up to a level)")] = "equal",
    classes: Annotated[int, typer.Option(help="how many classes of receivers there are, 1 to 9")] = 1,
    units: Annotated[str, typer.Option(help="weighted: tenths of a household unit, one a class, with commas")] = "",
    ceiling_cents: Annotated[int, typer.Option(help="the most that one receiver gets of an operation; 0: none")] = 0,
    level_cents: Annotated[int, typer.Option(help="fill: what balances are raised to")] = 0,
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Open a pool. Its rule never changes; whoever wants another one opens another pool."""
    with refusals_explained():
        told = call_accounts(
            folder,
            "solidarity_open_pool",
            id=id_or_new(id_),
            title=title,
            givers=_words(givers),
            sharing=sharing,
            classes=classes,
            units=[_whole(one) for one in _words(units)],
            ceiling_cents=ceiling_cents,
            level_cents=level_cents,
        )
        show(told, as_json=as_json)


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _whole(text: str) -> int:
    """Return a whole number; -1, which no rule takes, where it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else -1


@pool.command("list")
def list_pools(folder: Folder, as_json: AsJson = False) -> None:
    """List the pools, their rules, and how many are enrolled."""
    with refusals_explained():
        show(call_accounts(folder, "solidarity_pools"), as_json=as_json, title="pools")


@pool.command("giver")
def change_giver(
    folder: Folder,
    pool: str,
    giver: Annotated[str, typer.Argument(help="an account here, or an address elsewhere")],
    remove: Annotated[bool, typer.Option("--remove", help="take it off the list")] = False,
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Put a giver on the list of a pool that takes from listed ones."""
    with refusals_explained():
        told = call_accounts(
            folder, "solidarity_givers", id=id_or_new(id_), pool=pool, givers=[giver], listed=not remove
        )
        show(told, as_json=as_json)


@receiver.command("enrol")
def enrol(
    folder: Folder,
    pool: str,
    account: str,
    class_: Annotated[int, typer.Option("--class", help="a number; 0 takes the account out")] = 1,
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Enrol an account, change its class, or take it out. No reason is asked, and none is kept."""
    with refusals_explained():
        told = call_accounts(folder, "solidarity_enrol", id=id_or_new(id_), pool=pool, receivers=[(account, class_)])
        show(told if as_json else told["refused"] or told, as_json=as_json)


@receiver.command("enrol-file")
def enrol_file(folder: Folder, pool: str, file: InFile, id_: IdOption = "", as_json: AsJson = False) -> None:
    """Enrol the accounts of a file, one `account;class` a line. Stopped in the middle, the same --id goes on."""
    from node.desks.accounts.solidarity_requests import read_receiver_lines
    from protocol.running.http_service import TooLarge

    with refusals_explained():
        if file.stat().st_size > FILE_BYTES_MAX:
            raise TooLarge(bytes_max=FILE_BYTES_MAX)
        lines = read_receiver_lines(file.read_bytes())
        whole = uuid.UUID(id_or_new(id_))
        done, refused = 0, []
        with bar("enrol") as advance:
            for start in range(0, len(lines), LINES_AT_ONCE):
                part = lines[start : start + LINES_AT_ONCE]
                id_of_part = str(uuid.uuid5(whole, f"lines {start}"))
                told = call_accounts(folder, "solidarity_enrol", id=id_of_part, pool=pool, receivers=part)
                done += told["done"]
                refused += [one | {"line": one["line"] + start} for one in told["refused"]]
                advance(start + len(part), len(lines), "receivers")
        if as_json or not refused:
            show({"id": str(whole), "done": done, "refused": refused if as_json else len(refused)}, as_json=as_json)
        else:
            show(refused, as_json=False, title="lines that were not done")


@receiver.command("list")
def list_receivers(folder: Folder, pool: str, after: str = "", limit: int = 200, as_json: AsJson = False) -> None:
    """List the accounts that are enrolled in a pool, in the order of their numbers."""
    with refusals_explained():
        told = call_accounts(folder, "solidarity_receivers", pool=pool, after=after, limit=limit)
        show(told, as_json=as_json, title="receivers")


@operation.command("open")
def open_operation(
    folder: Folder,
    pool: str,
    title: str,
    starts: Day,
    until: Day,
    cents: CentsOption = None,
    euros: EurosOption = "",
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Open an operation with a target. It begins with what earlier ones of its pool left."""
    with refusals_explained():
        told = call_accounts(
            folder,
            "solidarity_open",
            id=id_or_new(id_),
            pool=pool,
            title=title,
            starts=starts,
            until=until,
            target_cents=read_cents(cents, euros),
        )
        show(told, as_json=as_json)


@operation.command("list")
def list_operations(folder: Folder, as_json: AsJson = False) -> None:
    """List the operations with their public counts."""
    with refusals_explained():
        told = call_accounts(folder, "solidarity_operations")
        if not as_json:
            kept = ("id", "title", "address", "until", "state", "target_cents", "given_cents", "givers", "receivers")
            told = [{name: row[name] for name in kept} for row in told]
        show(told, as_json=as_json, title="operations")


@operation.command("show")
def show_operation(folder: Folder, operation: str, as_json: AsJson = False) -> None:
    """Show the public count of an operation."""
    with refusals_explained():
        show(call_accounts(folder, "solidarity_operation", operation=operation), as_json=as_json)


@operation.command("share")
def share(folder: Folder, operation: str, id_: IdOption = "", as_json: AsJson = False) -> None:
    """Share it, once. Stopped in the middle, `go-on` (or the served node by itself) goes on where it was."""
    with refusals_explained():
        call_accounts(folder, "solidarity_decide", id=id_or_new(id_), operation=operation, event="share")
        show(_finish(folder, operation, "share"), as_json=as_json)


@operation.command("cancel")
def cancel(folder: Folder, operation: str, id_: IdOption = "", as_json: AsJson = False) -> None:
    """Cancel it: what was given goes back to who gave it, lot by lot. What companies gave waits for the next one."""
    with refusals_explained():
        call_accounts(folder, "solidarity_decide", id=id_or_new(id_), operation=operation, event="cancel")
        show(_finish(folder, operation, "cancel"), as_json=as_json)


@operation.command("go-on")
def go_on(folder: Folder, operation: str, as_json: AsJson = False) -> None:
    """Go on with an operation that is being shared or cancelled."""
    with refusals_explained():
        show(_finish(folder, operation, "go on"), as_json=as_json)


@operation.command("close")
def close(folder: Folder, operation: str, id_: IdOption = "", as_json: AsJson = False) -> None:
    """Close a shared operation: what remains goes into the pool's next one."""
    with refusals_explained():
        told = call_accounts(folder, "solidarity_decide", id=id_or_new(id_), operation=operation, event="close")
        show(told, as_json=as_json)


def _finish(folder: Folder, operation: str, what: str) -> Any:
    """Do page after page until the operation is where it goes, or has to wait; return how it stands."""
    with bar(what) as advance:
        while True:
            told = call_accounts(folder, "solidarity_go_on", operation=operation)
            advance(told["done"], max(told["total"], 1), told["state"])
            if not told["moved"]:
                return call_accounts(folder, "solidarity_operation", operation=operation)
            if is_served(folder):
                time.sleep(0.02)  # others are served in between


@gift.command("show")
def show_gift(folder: Folder, gift: str, as_json: AsJson = False) -> None:
    """Show what became of a gift: held, on its way back, back, or kept for the next operation."""
    with refusals_explained():
        show(call_accounts(folder, "solidarity_gift", gift=gift), as_json=as_json)


@gift.command("take-back")
def take_back(folder: Folder, gift: str, id_: IdOption = "", as_json: AsJson = False) -> None:
    """Give a gift back to its giver before the operation is shared: the very lots."""
    with refusals_explained():
        show(call_accounts(folder, "solidarity_take_back", id=id_or_new(id_), gift=gift), as_json=as_json)
