"""What each `citizen-miles node` command does in the process that holds the book: functions of (app, arguments)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from node.access.service import NewKey, load_keys, require_scopes
from node.app import NodeApp
from node.desks.accounts.answers import (
    NameAnswer,
    StateAnswer,
    tell_account,
    tell_arrival,
    tell_balance,
    tell_cession,
    tell_directory,
    tell_history,
    tell_opened,
    tell_operation,
    tell_payee,
    tell_reversal,
    tell_statement,
    tell_totals,
)
from node.desks.accounts.catalogue_admin_commands import CATALOGUE_COMMANDS
from node.desks.accounts.cession_service import load_cession_told
from node.desks.accounts.groups_admin_commands import GROUP_COMMANDS
from node.desks.accounts.orientation_answers import (
    tell_directed,
    tell_oriented,
    tell_project,
    tell_standing,
    tell_taken_back,
)
from node.desks.accounts.orientation_requests import (
    ChoiceItem,
    OrientationRequest,
    OrientationReturnRequest,
    StandingRequest,
    read_orientation,
    read_orientation_return,
    read_standing,
)
from node.desks.accounts.requests import (
    CessionItem,
    CreditItem,
    read_account,
    read_cession,
    read_credit,
    read_event,
    read_kind,
)
from node.desks.accounts.solidarity_admin_commands import SOLIDARITY_READING, SOLIDARITY_WRITING
from node.federation import store as federation_store
from node.federation.hub_recovery_service import RESTORED
from node.federation.reading_service import load_cessions
from node.ledger.endowments import Endow
from node.ledger.errors import AccountUnknown
from node.ledger.lots import require_lot_class
from node.ledger.openings import ChangeState, ShowName
from node.ledger.reading_service import (
    find_account,
    find_operation,
    load_balance,
    load_history,
    load_statement,
    load_totals,
)
from node.ledger.reversals import Reverse
from node.orientation.standing_service import load_standing
from node.orientation.store import list_orientations, load_all_projects
from protocol.amounts import Cents, require_amount
from protocol.errors import Malformed
from protocol.exchange.evidence_service import SayEvidenceSeen, say_seen
from protocol.exchange.evidence_store import load_evidence
from protocol.identifiers import Id16, parse_address, parse_id, tidy_address
from protocol.keys import Keyring
from protocol.running import clock_service
from protocol.running.admin_client import Command
from protocol.running.keys_store import create_keys, find_passphrase
from protocol.times import DAY_MS, format_instant, parse_instant

Asked = Mapping[str, Any]


def _language(asked: Asked) -> str:
    return str(asked.get("language", "fr"))


def _bytes(text: str) -> bytes:
    """Return the bytes of a hexadecimal text. Raises Malformed."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise Malformed(reason="not a hexadecimal text") from None


async def _open(app: NodeApp, asked: Asked) -> Any:
    opened = await app.open_account(parse_id(asked["id"]), read_kind(asked["kind"]), asked.get("shown_name"))
    return msgspec.to_builtins(tell_opened(opened, app.home))


async def _account(app: NodeApp, asked: Asked) -> Any:
    number = read_account(asked["account"], app.home)
    found = await app.ledger.read(find_account, number)
    if found is None:
        raise AccountUnknown(account=number)
    return msgspec.to_builtins(tell_account(found, app.home))


async def _state(app: NodeApp, asked: Asked) -> Any:
    number = read_account(asked["account"], app.home)
    changed = await app.ledger.write(
        app.ledger.change_states, ChangeState(account=number, event=read_event(asked["event"]))
    )
    return msgspec.to_builtins(StateAnswer(changed.account, str(changed.state)))


async def _name(app: NodeApp, asked: Asked) -> Any:
    number = read_account(asked["account"], app.home)
    await app.ledger.write(app.ledger.show_names, ShowName(account=number, shown_name=asked["shown_name"]))
    return msgspec.to_builtins(NameAnswer(number, asked["shown_name"]))


async def _endow(app: NodeApp, asked: Asked) -> Any:
    app.require_no_fund()
    endowed = await app.ledger.write(
        app.ledger.endow,
        Endow(
            op=parse_id(asked["id"]),
            donor=Id16(parse_id(asked["donor"])),
            campaign=asked["campaign"],
            month=asked["month"],
            lot_class=require_lot_class(asked["lot_class"]),
            into=read_account(asked["into"], app.home),
            cents=Cents(require_amount(asked["cents"])),
            reason=asked["reason"],
            new_ref=clock_service.entropy(16),
            restriction=asked.get("restriction", ""),
        ),
    )
    return {
        "id": asked["id"],
        "lot": int(endowed.lot),
        "pool_cents": int(endowed.after),
        "repeated": endowed.is_repeat,
    }


async def _credit(app: NodeApp, asked: Asked) -> Any:
    pool = read_account(asked["pool"], app.home)
    item = CreditItem(id=asked["id"], to=asked["to"], cents=asked["cents"], reference=asked.get("reference", ""))
    posted = await app.ledger.write(app.ledger.post, read_credit(pool, item, app.home))
    return {
        "id": item.id,
        "cents": int(posted.cents),
        "after_cents": posted.credit_after,
        "repeated": posted.is_repeat,
    }


async def _reverse(app: NodeApp, asked: Asked) -> Any:
    cents = asked.get("cents")
    done = await app.ledger.write(
        app.ledger.reverse,
        Reverse(
            op=parse_id(asked["id"]),
            undone=parse_id(asked["credit"]),
            cents=None if cents is None else Cents(require_amount(cents)),
        ),
    )
    return msgspec.to_builtins(tell_reversal(done))


async def _cede(app: NodeApp, asked: Asked) -> Any:
    item = CessionItem(
        id=asked["id"],
        giver=asked["from"],
        to=asked["to"],
        cents=asked["cents"],
        words=asked.get("words", ""),
        anonymous=asked.get("anonymous", False),
        term=asked.get("term", ""),
    )
    wanted = read_cession(item, app.home)
    await app.guides.require_unguided(wanted.account)
    view = await app.book.write(app.federation.cede, wanted)
    return msgspec.to_builtins(tell_cession(view, app.home, _language(asked)))


async def _orient(app: NodeApp, asked: Asked) -> Any:
    wanted = read_orientation(
        OrientationRequest(
            id=asked["id"],
            giver=asked["from"],
            choices=[ChoiceItem(to=to, cents=cents) for to, cents in asked["choices"]],
            overflow=asked["overflow"],
            anonymous=asked["anonymous"],
        ),
        app.home,
    )
    await app.guides.require_unguided(wanted.account)
    view = await app.book.write(app.orientations.direct, wanted)
    return msgspec.to_builtins(tell_directed(view, app.home, _language(asked)))


async def _take_back(app: NodeApp, asked: Asked) -> Any:
    request = OrientationReturnRequest(id=asked["id"], cents=asked["cents"])
    wanted = read_orientation_return(request, asked["orientation"])
    view = await app.returns.take_back(wanted, lambda _account: None)  # whoever has the socket acts for anybody
    return msgspec.to_builtins(tell_taken_back(view, app.home))


async def _orientations(app: NodeApp, asked: Asked) -> Any:
    account, limit = read_account(asked["account"], app.home), asked.get("limit", 50)
    rows = await app.book.read(lambda line: list_orientations(line, account=account, before=None, limit=limit))
    return [msgspec.to_builtins(tell_oriented(row, app.home)) for row in rows]


async def _order_standing(app: NodeApp, asked: Asked) -> Any:
    names = ("id", "share", "basis", "period_days", "preference", "theme", "projects")
    later = {name: asked[name] for name in ("everywhere", "near", "within_km") if name in asked}
    request = StandingRequest(giver=asked["from"], **{name: asked[name] for name in names}, **later)
    order = read_standing(request, app.home)
    await app.guides.require_unguided(order.account)
    view = await app.book.write(app.standing.give_orders, order)
    return msgspec.to_builtins(tell_standing(view, app.home))


async def _stop_standing(app: NodeApp, asked: Asked) -> Any:
    view = await app.book.write(app.standing.stop_orders, parse_id(asked["id"]))
    return msgspec.to_builtins(tell_standing(view, app.home))


async def _standing(app: NodeApp, asked: Asked) -> Any:
    account = read_account(asked["account"], app.home)
    found = await app.book.read(lambda line: load_standing(line, account))
    return [msgspec.to_builtins(tell_standing(one, app.home)) for one in found]


async def _support(app: NodeApp, asked: Asked) -> Any:
    found = await app.book.read(load_all_projects)
    return [msgspec.to_builtins(tell_project(one, app.home)) for one in found]


async def _give_back(app: NodeApp, asked: Asked) -> Any:
    view = await app.book.write(app.federation.give_back, parse_id(asked["id"]))
    return msgspec.to_builtins(tell_cession(view, app.home, _language(asked)))


async def _recall(app: NodeApp, asked: Asked) -> Any:
    view = await app.book.write(app.federation.recall, parse_id(asked["id"]))
    return msgspec.to_builtins(tell_cession(view, app.home, _language(asked)))


async def _cession(app: NodeApp, asked: Asked) -> Any:
    op = parse_id(asked["id"])
    told = await app.book.read(
        lambda connection: load_cession_told(connection, op, home=app.home, language=_language(asked))
    )
    return msgspec.to_builtins(told)


async def _cessions(app: NodeApp, asked: Asked) -> Any:
    account = read_account(asked["account"], app.home) if asked.get("account") else None
    views, _cursor = await app.book.read(
        lambda connection: load_cessions(connection, account=account, limit=asked.get("limit", 50))
    )
    return [msgspec.to_builtins(tell_cession(view, app.home, _language(asked))) for view in views]


async def _arrivals(app: NodeApp, asked: Asked) -> Any:
    account = read_account(asked["account"], app.home) if asked.get("account") else None
    rows = await app.book.read(
        lambda connection: federation_store.load_arrivals(
            connection, account=account, before=None, limit=asked.get("limit", 50)
        )
    )
    return [msgspec.to_builtins(tell_arrival(row, _language(asked))) for row in rows]


async def _operation(app: NodeApp, asked: Asked) -> Any:
    view = await app.ledger.read(find_operation, parse_id(asked["id"]))
    return msgspec.to_builtins(tell_operation(view, _language(asked)))


async def _balance(app: NodeApp, asked: Asked) -> Any:
    number = read_account(asked["account"], app.home)
    return msgspec.to_builtins(tell_balance(number, await app.ledger.read(load_balance, number)))


async def _history(app: NodeApp, asked: Asked) -> Any:
    order = asked.get("order", "newest")
    if order not in ("newest", "oldest"):
        raise Malformed(field="order", reason="order is newest or oldest")
    page = await app.ledger.read(
        load_history,
        read_account(asked["account"], app.home),
        cursor=asked.get("cursor"),
        limit=asked.get("limit", 50),
        is_newest_first=order == "newest",
    )
    return msgspec.to_builtins(tell_history(page))


async def _statement(app: NodeApp, asked: Asked) -> Any:
    start = parse_instant(asked["start"] or "1970-01-01T00:00:00Z", "start")
    end = parse_instant(asked["end"], "end") if asked["end"] else app.book.clock()
    number = read_account(asked["account"], app.home)
    return msgspec.to_builtins(tell_statement(await app.ledger.read(load_statement, number, start, end)))


async def _totals(app: NodeApp, _asked: Asked) -> Any:
    told = await app.book.read(
        lambda connection: tell_totals(
            load_totals(connection, app.home),
            federation_store.count_states(connection),
            federation_store.count_arrivals(connection),
        )
    )
    return msgspec.to_builtins(told)


async def _payee(app: NodeApp, asked: Asked) -> Any:
    address = parse_address(tidy_address(asked["address"]))
    return msgspec.to_builtins(tell_payee(address, await app.payees.ask(address), _language(asked)))


async def _directory(app: NodeApp, _asked: Asked) -> Any:
    return msgspec.to_builtins(tell_directory(app.federation.directory).members)


async def _export(app: NodeApp, _asked: Asked) -> Any:
    app.require_enrolled()
    return {"envelope": (await app.worker.export()).hex()}


async def _import(app: NodeApp, asked: Asked) -> Any:
    app.require_enrolled()
    taken = await app.worker.take_reply(_bytes(asked["envelope"]))
    app.use_newest_announced_key()
    return {"slips_taken": 0 if taken is None else taken.fresh, "waiting": await app.book.read(app.count_waiting)}


async def _exchange(app: NodeApp, _asked: Asked) -> Any:
    app.require_enrolled()
    calls = await app.worker.exchange_all()
    app.use_newest_announced_key()
    return {"calls": calls, "waiting": await app.book.read(app.count_waiting)}


async def _federation_status(app: NodeApp, _asked: Asked) -> Any:
    member = app.federation.directory.find(app.home)
    last = await app.book.read(federation_store.find_reconciliation)
    shown = await app.book.read(federation_store.find_checkpoint)
    return {
        "territory": app.home,
        "status": "unknown" if member is None else str(member.status),
        "hub": app.federation.hub.hub if app.welcome is not None else "",
        "directory_entries": app.federation.directory.size,
        "slips_waiting": await app.book.read(app.count_waiting),
        "hub_contact_at": None if app.worker.contact_at is None else format_instant(app.worker.contact_at),
        "trouble": app.worker.trouble,
        "storage_trouble": app.book.trouble,
        "behind": None if app.federation.behind is None else str(app.federation.behind),
        "recovery": "none" if app.federation.recovery is None else str(app.federation.recovery.phase),
        "hub_restored": await app.book.read(lambda line: federation_store.find_fact(line, RESTORED)),
        "last_statement": None if last is None else ("equal" if last.is_equal else last.breaks),
        "key": app.federation.identity.keyring.current.public.id.hex(),
        "national_size": 0 if shown is None else shown.size,  # for `citizen-miles replay --size … --root …`
        "national_root": "" if shown is None else shown.root.hex(),
        "events": dict(app.federation.counts),
    }


async def _ask_statement(app: NodeApp, _asked: Asked) -> Any:
    app.require_enrolled()
    return {"slip": await app.book.write(app.federation.ask_statement, None)}


async def _rotate(app: NodeApp, _asked: Asked) -> Any:
    app.require_enrolled()
    passphrase = find_passphrase(app.config.passphrase_file)
    secret = create_keys(app.folder / "keys", passphrase, clock_service.entropy(64))
    keyring = app.federation.identity.keyring
    app.hold_key(Keyring(keyring.current, (secret, *keyring.older)))
    await app.book.write(app.federation.announce_key, secret)
    return {"key": secret.public.id.hex(), "signs": "when the directory shows it"}


async def _retire(app: NodeApp, asked: Asked) -> Any:
    app.require_enrolled()
    key = _bytes(asked["key"])
    if key == app.federation.identity.keyring.current.public.id:
        raise Malformed(field="key", reason="it signs now: rotate first, and wait until the new key signs")
    member = app.federation.directory.find(app.home)
    if member is None or key not in {one.id for one in member.keys}:
        raise Malformed(field="key", reason="the directory shows no such key of ours")
    await app.book.write(app.federation.retire_key, key)
    return {"key": asked["key"], "retired": "when the hub has it"}


async def _new_key(app: NodeApp, asked: Asked) -> Any:
    account = read_account(asked["account"], app.home) if asked.get("account") else None
    if account is not None and await app.ledger.read(find_account, account) is None:
        raise AccountUnknown(account=account)
    key = NewKey(
        clock_service.entropy(5).hex(),
        clock_service.entropy(32).hex(),
        asked["name"],
        require_scopes(asked["scopes"]),
        account or "",
    )
    await app.book.write(app.access.make, key)
    return {"id": key.id, "key": key.text, "scopes": " ".join(key.scopes), "account": key.account}


async def _keys(app: NodeApp, _asked: Asked) -> Any:
    rows = await app.book.read(load_keys)
    return [
        {
            "id": row["id"],
            "name": row["name"],
            "scopes": row["scopes"],
            "account": row["account"],
            "made_at": format_instant(row["made_at"]),
            "revoked_at": None if row["revoked_at"] is None else format_instant(row["revoked_at"]),
            "last_used": None if row["used_day"] is None else format_instant(row["used_day"] * DAY_MS)[:10],
        }
        for row in rows
    ]


async def _revoke_key(app: NodeApp, asked: Asked) -> Any:
    at = await app.book.write(app.access.revoke, asked["id"])
    return {"id": asked["id"], "revoked_at": format_instant(at)}


async def _recover(app: NodeApp, _asked: Asked) -> Any:
    app.require_enrolled()
    await app.book.write(app.federation.begin_recovery, None)
    app.worker.wake()
    return _tell_recovery(app)


async def _recovery(app: NodeApp, _asked: Asked) -> Any:
    if app.federation.recovery is not None and app.worker.trouble is None:
        app.worker.wake()
    return _tell_recovery(app)


def _tell_recovery(app: NodeApp) -> dict[str, Any]:
    recovery, own = app.federation.recovery, app.federation.behind
    return {
        "phase": "none" if recovery is None else str(recovery.phase),
        "behind": None if own is None else str(own),
        "slips_pulled": 0 if recovery is None else recovery.end - recovery.start,
        "slips_booked": 0 if recovery is None else recovery.booked - recovery.start,
        "unplaced": 0 if recovery is None else recovery.unplaced,
        "accounts_reopened": 0 if recovery is None else recovery.reopened,
        "trouble": app.worker.trouble,
    }


async def _unplaced(app: NodeApp, _asked: Asked) -> Any:
    rows = await app.book.read(lambda connection: federation_store.load_unplaced(connection))
    return [
        {"id": row.id, "account": row.account, "cents": row.cents, "cession": f"{row.epoch}/{row.ix}/{row.place}"}
        for row in rows
    ]


async def _settle(app: NodeApp, asked: Asked) -> Any:
    account = read_account(asked["account"], app.home)
    posted = await app.book.write(app.federation.settle_unplaced, (int(asked["number"]), account))
    return {"id": int(asked["number"]), "account": account, "cents": int(posted.cents)}


def _unless_behind(command: Command) -> Command:
    async def run(app: NodeApp, asked: Asked) -> Any:
        if app.federation.behind is not None:
            raise app.federation.behind
        return await command(app, asked)

    return run


# What an old copy of the book does not do before it is the present again.
_WRITING: Final[Mapping[str, Command]] = {
    "open": _open,
    "state": _state,
    "name": _name,
    "endow": _endow,
    "credit": _credit,
    "reverse": _reverse,
    "cede": _cede,
    "orient": _orient,
    "take_back": _take_back,
    "order_standing": _order_standing,
    "stop_standing": _stop_standing,
    "recall": _recall,
    "give_back": _give_back,
    "ask_statement": _ask_statement,
    "rotate": _rotate,
    "retire": _retire,
    **SOLIDARITY_WRITING,
}


async def _say_evidence_seen(app: NodeApp, asked: Asked) -> Any:
    number = await app.book.write(say_seen, SayEvidenceSeen(asked["number"], asked["reason"]))
    rows = await app.book.read(load_evidence)
    return next(row for row in rows if row["id"] == number)


COMMANDS: Final[Mapping[str, Command]] = {
    "evidence_seen": _say_evidence_seen,
    **{name: _unless_behind(command) for name, command in _WRITING.items()},
    "account": _account,
    "orientations": _orientations,
    "support": _support,
    "standing": _standing,
    "cession": _cession,
    "cessions": _cessions,
    "arrivals": _arrivals,
    "operation": _operation,
    "directory": _directory,
    "balance": _balance,
    "history": _history,
    "statement": _statement,
    "totals": _totals,
    "payee": _payee,
    "export": _export,
    "import": _import,
    "exchange": _exchange,
    "federation": _federation_status,
    "recover": _recover,
    "recovery": _recovery,
    "unplaced": _unplaced,
    "settle_unplaced": _settle,
    "new_key": _new_key,
    "keys": _keys,
    "revoke_key": _revoke_key,
    **SOLIDARITY_READING,
    **GROUP_COMMANDS,
    **CATALOGUE_COMMANDS,
}
