"""SQL of obligations, of windows and of what is paid at their end: loads and saves, decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, bindparam, delete, func, select
from sqlalchemy import insert as insert_

from hub.clearing.tables import exceptions, slips
from hub.settlement.tables import net_payments, nettings, obligations, windows
from protocol.book.prepared_store import Prepared
from protocol.book.rows_store import insert_rows, update_rows
from protocol.cession import CessionState
from protocol.messages import Netting, SettledState, WindowClosed
from protocol.national import SlipKey
from protocol.obligations import Obligation
from protocol.windows import Netted, PaymentKey, begin_payments, netted_of

_COLUMNS = (
    "slip_id",
    "place",
    "debtor",
    "creditor",
    "project",
    "cents",
    "said",
    "said_on",
    "confirmed_on",
    "window_no",
)
_FACTS = tuple(obligations.c[name] for name in _COLUMNS[2:])
_PAYMENT_COLUMNS = ("window_no", "payer", "payee", "cents", "said", "said_on", "confirmed_on")
_KEY = (slips.c.origin, slips.c.epoch, slips.c.ix)
_FIND = Prepared(
    select(*_FACTS)
    .join(slips, slips.c.id == obligations.c.slip_id)
    .where(
        slips.c.origin == bindparam("origin"),
        slips.c.epoch == bindparam("epoch"),
        slips.c.ix == bindparam("index"),
        obligations.c.place == bindparam("place"),
    )
)


def insert(connection: Connection, slip_id: int, new: Mapping[int, Obligation]) -> None:
    """Keep what may be owed for a slip of conversions, by place."""
    insert_rows(
        connection,
        obligations,
        _COLUMNS,
        [
            (
                *(slip_id, place, one.debtor, one.creditor, one.project, one.cents),
                *(one.said or 0, one.said_on, one.confirmed_on, one.window),
            )
            for place, one in new.items()
        ],
    )


def find(connection: Connection, key: SlipKey, place: int) -> Obligation | None:
    row = _FIND.row(connection, origin=key[0], epoch=key[1], index=key[2], place=place)
    return None if row is None else _read(tuple(row))


def save_words(connection: Connection, slip_id: int, changed: Iterable[tuple[int, Obligation]]) -> None:
    """Save what was said of obligations of a slip, by place."""
    update_rows(
        connection,
        obligations,
        [(one.said or 0, one.said_on, one.confirmed_on, slip_id, place) for place, one in changed],
        setting=("said", "said_on", "confirmed_on"),
        key=("slip_id", "place"),
    )


def load_all(connection: Connection) -> Iterator[tuple[tuple[SlipKey, int], Obligation]]:
    """Go through all obligations, those included whose conversion was not taken (yet)."""
    rows = connection.execute(
        select(*_KEY, obligations.c.place, *_FACTS).join(slips, slips.c.id == obligations.c.slip_id)
    )
    for origin, epoch, index, place, *row in rows:
        yield ((origin, epoch, index), place), _read(row)


def load_owed(connection: Connection, member: str = "") -> Iterator[tuple[tuple[SlipKey, int], Obligation]]:
    """Go through what is owed, or was: conversions that their issuer took, oldest first; of one member, or of all."""
    query = _query_owed()
    if member:
        query = query.where((obligations.c.debtor == member) | (obligations.c.creditor == member))
    for origin, epoch, index, place, *row in connection.execute(query):
        yield ((origin, epoch, index), place), _read(row)


def _query_owed() -> Select[Any]:
    return (
        select(*_KEY, obligations.c.place, *_FACTS)
        .join(slips, slips.c.id == obligations.c.slip_id)
        .outerjoin(
            exceptions,
            (exceptions.c.slip_id == obligations.c.slip_id) & (exceptions.c.place == obligations.c.place),
        )
        .where(slips.c.state == str(CessionState.DELIVERED), exceptions.c.slip_id.is_(None))
        .order_by(obligations.c.slip_id, obligations.c.place)
    )


# Windows of netting


def load_netted(connection: Connection) -> list[Netted]:
    """Return what waits for a window: called netted by its debtor and in no window yet, oldest first."""
    query = _query_owed().where(obligations.c.said == int(SettledState.NETTED), obligations.c.window_no == 0)
    return [
        Netted((origin, epoch, index), place, debtor, cents)
        for origin, epoch, index, place, debtor, _creditor, _project, cents, *_said in connection.execute(query)
    ]


def find_open_window(connection: Connection) -> int | None:
    return connection.execute(select(windows.c.window_no).where(windows.c.closed_on == 0)).scalar()


def find_last_window(connection: Connection) -> int:
    """Return the number of the last window that there was, or 0."""
    return int(connection.execute(select(func.coalesce(func.max(windows.c.window_no), 0))).scalar_one())


def find_last_closed(connection: Connection) -> int:
    """Return the number of the last window that was closed, or 0."""
    closed = select(func.coalesce(func.max(windows.c.window_no), 0)).where(windows.c.closed_on > 0)
    return int(connection.execute(closed).scalar_one())


def forget_open_window(connection: Connection) -> None:
    """Let the open window go, of which nobody was told: another takes its number, or one that comes before."""
    connection.execute(delete(windows).where(windows.c.closed_on == 0))


def insert_window(connection: Connection, number: int, opened_at: int) -> None:
    insert_rows(connection, windows, ("window_no", "opened_at", "closed_on"), [(number, opened_at, 0)])


def close_window(connection: Connection, window: WindowClosed) -> None:
    """Keep that a window was closed, which obligations stand in it, and what is to be paid."""
    update_rows(connection, windows, [(window.on, window.window)], setting=("closed_on",), key=("window_no",))
    ids: dict[SlipKey, int] = {}
    rows = []
    for one in netted_of(window):
        if one.key not in ids:
            origin, epoch, index = one.key
            query = select(slips.c.id).where(slips.c.origin == origin, slips.c.epoch == epoch, slips.c.ix == index)
            ids[one.key] = connection.execute(query).scalar_one()
        rows.append((window.window, ids[one.key], one.place))
    update_rows(connection, obligations, rows, setting=("window_no",), key=("slip_id", "place"))
    insert_rows(
        connection,
        net_payments,
        _PAYMENT_COLUMNS,
        [(*key, one.cents, 0, 0, 0) for key, one in begin_payments(window).items()],
    )


def load_windows(connection: Connection) -> list[tuple[int, int, int]]:
    """Return (window, opened_at, closed_on) of each window, the newest first."""
    query = select(windows.c.window_no, windows.c.opened_at, windows.c.closed_on).order_by(windows.c.window_no.desc())
    return [(number, opened_at, closed_on) for number, opened_at, closed_on in connection.execute(query)]


def load_in_window(connection: Connection, number: int) -> list[Netted]:
    """Return the obligations that stand in a window, in its order."""
    query = (
        select(*_KEY, obligations.c.place, obligations.c.debtor, obligations.c.cents)
        .join(slips, slips.c.id == obligations.c.slip_id)
        .where(obligations.c.window_no == number)
    )
    return sorted(Netted((row[0], row[1], row[2]), *row[3:]) for row in connection.execute(query))


def load_payments(connection: Connection) -> dict[PaymentKey, Obligation]:
    """Return what is paid at the end of windows, by (window, payer, payee)."""
    rows = connection.execute(select(*(net_payments.c[name] for name in _PAYMENT_COLUMNS)))
    return {(row[0], row[1], row[2]): _make_payment(tuple(row)) for row in rows}


def find_payment(connection: Connection, key: PaymentKey) -> Obligation | None:
    row = connection.execute(
        select(*(net_payments.c[name] for name in _PAYMENT_COLUMNS)).where(
            net_payments.c.window_no == key[0], net_payments.c.payer == key[1], net_payments.c.payee == key[2]
        )
    ).first()
    return None if row is None else _make_payment(tuple(row))


def save_payment(connection: Connection, key: PaymentKey, one: Obligation) -> None:
    """Save what was said of a payment."""
    update_rows(
        connection,
        net_payments,
        [(one.said or 0, one.said_on, one.confirmed_on, *key)],
        setting=("said", "said_on", "confirmed_on"),
        key=("window_no", "payer", "payee"),
    )


def save_netting(connection: Connection, member: str, other: str, netting: Netting) -> None:
    """Keep a fund's last word to another."""
    connection.execute(delete(nettings).where(nettings.c.member == member, nettings.c.other == other))
    connection.execute(
        insert_(nettings).values(member=member, other=other, is_netted=netting.is_netted, since=netting.since)
    )


def load_nettings(connection: Connection) -> dict[tuple[str, str], tuple[bool, int]]:
    """Return the last word of each fund to each other: whether it nets, and since which day."""
    return {(row.member, row.other): (row.is_netted, row.since) for row in connection.execute(select(nettings))}


def _make_payment(row: Sequence[Any]) -> Obligation:
    number, payer, payee, cents, said, said_on, confirmed_on = row
    return _read((payer, payee, b"", cents, said, said_on, confirmed_on, number))


def _read(row: Sequence[Any]) -> Obligation:
    debtor, creditor, project, cents, said, said_on, confirmed_on, window = row
    return Obligation(
        debtor=debtor,
        creditor=creditor,
        project=bytes(project),
        cents=cents,
        said=SettledState(said) if said else None,
        said_on=said_on,
        confirmed_on=confirmed_on,
        window=window,
    )
