"""What each `citizen-miles node` command does in the process that holds the book: functions of (app, arguments)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from node.access.service import NewKey, load_keys, make_key, require_scopes, revoke_key
from node.app import NodeApp
from node.federation import store as federation_store
from node.federation.service import load_cession, load_cessions
from node.ledger.accounts import AccountEvent, AccountKind
from node.ledger.endowments import Endow, Endowed
from node.ledger.errors import AccountUnknown
from node.ledger.lots import LotClass
from node.ledger.openings import ChangeState, OpenAccount, ShowName
from node.ledger.reading_service import find_account, load_balance, load_history, load_statement, load_totals
from node.ledger.reversals import Reverse
from node.rendering import (
    account_row,
    address_of,
    balance_row,
    cession_row,
    history_row,
    statement_row,
    totals_row,
)
from node.requests import CessionItem, CreditItem, read_account, read_cession, read_credit
from protocol.amounts import Cents, require_amount
from protocol.errors import Malformed
from protocol.exchange.client import HubUnreachable
from protocol.identifiers import Id16, make_account_number, parse_address, parse_id, tidy_address
from protocol.keys import Keyring
from protocol.running import clock_service
from protocol.running.admin_service import Command
from protocol.running.keys_store import create_keys, find_passphrase
from protocol.times import format_instant, parse_instant

Asked = Mapping[str, Any]


async def _open(app: NodeApp, asked: Asked) -> Any:
    opened = await app.ledger.write(
        app.ledger.open_accounts,
        OpenAccount(
            op=parse_id(asked["id"]),
            number=make_account_number(clock_service.entropy(16)),
            kind=_kind(asked["kind"]),
            shown_name=asked.get("shown_name"),
        ),
    )
    return {"number": opened.number, "address": address_of(opened.number, app.home), "kind": str(opened.kind)}


def _kind(text: str) -> AccountKind:
    try:
        return AccountKind(text)
    except ValueError:
        raise Malformed(reason=f"no kind of account is called {text}") from None


async def _account(app: NodeApp, asked: Asked) -> Any:
    number = read_account(asked["account"], app.home)
    found = await app.ledger.read(find_account, number)
    if found is None:
        raise AccountUnknown(account=number)
    return account_row(found, app.home)


async def _state(app: NodeApp, asked: Asked) -> Any:
    number = read_account(asked["account"], app.home)
    changed = await app.ledger.write(
        app.ledger.change_states, ChangeState(account=number, event=AccountEvent(asked["event"]))
    )
    return {"account": changed.account, "state": str(changed.state)}


async def _name(app: NodeApp, asked: Asked) -> Any:
    number = read_account(asked["account"], app.home)
    await app.ledger.write(app.ledger.show_names, ShowName(account=number, shown_name=asked["shown_name"]))
    return {"account": number, "shown_name": asked["shown_name"]}


async def _endow(app: NodeApp, asked: Asked) -> Any:
    endowed: Endowed = await app.ledger.write(
        app.ledger.endow,
        Endow(
            op=parse_id(asked["id"]),
            donor=Id16(parse_id(asked["donor"])),
            campaign=asked["campaign"],
            month=asked["month"],
            lot_class=LotClass(asked["lot_class"]),
            into=read_account(asked["into"], app.home),
            cents=Cents(require_amount(asked["cents"])),
            reason=asked["reason"],
            new_ref=clock_service.entropy(16),
            restriction=asked.get("restriction", ""),
        ),
    )
    return {"lot": int(endowed.lot), "pool_cents": int(endowed.after), "repeated": endowed.is_repeat}


async def _credit(app: NodeApp, asked: Asked) -> Any:
    pool = read_account(asked["pool"], app.home)
    item = CreditItem(id=asked["id"], to=asked["to"], cents=asked["cents"], reference=asked.get("reference", ""))
    posted = await app.ledger.write(app.ledger.post, read_credit(pool, item, app.home))
    return {"cents": int(posted.cents), "after_cents": posted.credit_after, "repeated": posted.is_repeat}


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
    return {"asked_cents": int(done.asked), "taken_cents": int(done.taken), "missing_cents": int(done.missing)}


async def _cede(app: NodeApp, asked: Asked) -> Any:
    number = read_account(asked["from"], app.home)
    item = CessionItem(
        id=asked["id"],
        giver=number,
        to=asked["to"],
        cents=asked["cents"],
        words=asked.get("words", ""),
        anonymous=asked.get("anonymous", False),
        term=asked.get("term", ""),
    )
    view = await app.book.write(app.federation.cede, read_cession(item, app.home, address_of(number, app.home)))
    return cession_row(view, asked.get("language", "fr"))


async def _recall(app: NodeApp, asked: Asked) -> Any:
    view = await app.book.write(app.federation.recall, parse_id(asked["id"]))
    return cession_row(view, asked.get("language", "fr"))


async def _cession(app: NodeApp, asked: Asked) -> Any:
    op = parse_id(asked["id"])
    view = await app.book.read(lambda connection: load_cession(connection, op))
    return cession_row(view, asked.get("language", "fr"))


async def _cessions(app: NodeApp, asked: Asked) -> Any:
    account = read_account(asked["account"], app.home) if asked.get("account") else None
    views, _cursor = await app.book.read(
        lambda connection: load_cessions(connection, account=account, limit=asked.get("limit", 50))
    )
    return [cession_row(view, asked.get("language", "fr")) for view in views]


async def _arrivals(app: NodeApp, asked: Asked) -> Any:
    account = read_account(asked["account"], app.home) if asked.get("account") else None
    rows = await app.book.read(
        lambda connection: federation_store.load_arrivals(connection, account=account, before=None, limit=50)
    )
    return [
        {
            "reference": f"{row.origin}/{row.epoch}/{row.ix}/{row.place}",
            "account": row.account,
            "cents": row.cents,
            "from": row.giver,
            "words": row.words,
            "state": row.state,
            "code": row.code,
            "at": format_instant(row.at),
        }
        for row in rows
    ]


async def _balance(app: NodeApp, asked: Asked) -> Any:
    return balance_row(await app.ledger.read(load_balance, read_account(asked["account"], app.home)))


async def _history(app: NodeApp, asked: Asked) -> Any:
    page = await app.ledger.read(
        load_history,
        read_account(asked["account"], app.home),
        cursor=asked.get("cursor"),
        limit=asked.get("limit", 50),
        is_newest_first=asked.get("order", "newest") == "newest",
    )
    return history_row(page)


async def _statement(app: NodeApp, asked: Asked) -> Any:
    start = parse_instant(asked["start"] or "1970-01-01T00:00:00Z", "from")
    end = parse_instant(asked["end"], "to") if asked["end"] else app.book.clock()
    number = read_account(asked["account"], app.home)
    return statement_row(await app.ledger.read(load_statement, number, start, end))


async def _totals(app: NodeApp, _asked: Asked) -> Any:
    row = totals_row(await app.ledger.read(load_totals, app.home))
    sent = await app.book.read(federation_store.count_states)
    received = await app.book.read(federation_store.count_arrivals)
    row["sent"] = {state: {"count": count, "cents": cents} for state, (count, cents) in sent.items()}
    row["received"] = {state: {"count": count, "cents": cents} for state, (count, cents) in received.items()}
    return row


async def _payee(app: NodeApp, asked: Asked) -> Any:
    address = parse_address(tidy_address(asked["address"]))
    reply = await app.payees.ask(address)
    return {
        "address": str(address),
        "answered": reply is not None,
        "takes_rights": None if reply is None else reply.takes_rights,
        "shown": "" if reply is None else reply.shown,
    }


async def _export(app: NodeApp, _asked: Asked) -> Any:
    _require_enrolled(app)
    return {"envelope": (await app.worker.export()).hex()}


async def _import(app: NodeApp, asked: Asked) -> Any:
    _require_enrolled(app)
    taken = await app.worker.take_reply(bytes.fromhex(asked["envelope"]))
    app.use_newest_announced_key()
    return {"slips_taken": 0 if taken is None else taken.fresh, "waiting": await app.book.read(app.count_waiting)}


async def _exchange(app: NodeApp, _asked: Asked) -> Any:
    _require_enrolled(app)
    calls = await app.worker.exchange_all()
    app.use_newest_announced_key()
    return {"calls": calls, "waiting": await app.book.read(app.count_waiting)}


def _require_enrolled(app: NodeApp) -> None:
    if app.welcome is None:
        raise HubUnreachable(reason="this node is not enrolled yet")


async def _federation_status(app: NodeApp, _asked: Asked) -> Any:
    member = app.federation.directory.find(app.home)
    last = await app.book.read(federation_store.find_reconciliation)
    return {
        "territory": app.home,
        "status": "unknown" if member is None else str(member.status),
        "hub": app.federation.hub.hub,
        "directory_entries": app.federation.directory.size,
        "slips_waiting": await app.book.read(app.count_waiting),
        "hub_contact_at": None if app.worker.contact_at is None else format_instant(app.worker.contact_at),
        "trouble": app.worker.trouble,
        "storage_trouble": app.book.trouble,
        "behind": None if app.federation.behind is None else str(app.federation.behind),
        "last_statement": None if last is None else ("equal" if last.is_equal else last.breaks),
        "key": app.federation.identity.keyring.current.public.id.hex(),
        "events": dict(app.federation.counts),
    }


async def _ask_statement(app: NodeApp, _asked: Asked) -> Any:
    return {"slip": await app.book.write(app.federation.ask_statement, None)}


async def _rotate(app: NodeApp, _asked: Asked) -> Any:
    passphrase = find_passphrase(app.config.passphrase_file)
    secret = create_keys(app.folder / "keys", passphrase, clock_service.entropy(64))
    keyring = app.federation.identity.keyring
    app.hold_key(Keyring(keyring.current, (secret, *keyring.older)))
    await app.book.write(app.federation.announce_key, secret)
    return {"key": secret.public.id.hex(), "signs": "when the directory shows it"}


async def _retire(app: NodeApp, asked: Asked) -> Any:
    await app.book.write(app.federation.retire_key, bytes.fromhex(asked["key"]))
    return {"key": asked["key"], "retired": "when the hub has it"}


async def _new_key(app: NodeApp, asked: Asked) -> Any:
    account = read_account(asked["account"], app.home) if asked.get("account") else ""
    key = NewKey(
        clock_service.entropy(5).hex(),
        clock_service.entropy(32).hex(),
        asked["name"][:80],
        require_scopes(asked["scopes"]),
        account,
    )
    await app.book.write(make_key, key)
    return {"id": key.id, "key": key.text, "scopes": " ".join(key.scopes), "account": account}


async def _keys(app: NodeApp, _asked: Asked) -> Any:
    rows = await app.book.read(load_keys)
    return [
        row
        | {
            "made_at": format_instant(row["made_at"]),
            "revoked_at": None if row["revoked_at"] is None else format_instant(row["revoked_at"]),
        }
        for row in rows
    ]


async def _revoke_key(app: NodeApp, asked: Asked) -> Any:
    at = await app.book.write(revoke_key, asked["id"])
    return {"id": asked["id"], "revoked_at": format_instant(at)}


COMMANDS: Final[Mapping[str, Command]] = {
    "open": _open,
    "account": _account,
    "state": _state,
    "name": _name,
    "endow": _endow,
    "credit": _credit,
    "reverse": _reverse,
    "cede": _cede,
    "recall": _recall,
    "cession": _cession,
    "cessions": _cessions,
    "arrivals": _arrivals,
    "balance": _balance,
    "history": _history,
    "statement": _statement,
    "totals": _totals,
    "payee": _payee,
    "export": _export,
    "import": _import,
    "exchange": _exchange,
    "federation": _federation_status,
    "ask_statement": _ask_statement,
    "rotate": _rotate,
    "retire": _retire,
    "new_key": _new_key,
    "keys": _keys,
    "revoke_key": _revoke_key,
}
