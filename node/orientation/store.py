"""SQL of orientation: loads and saves, decides nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, func, select, update

from node.federation.tables import cessions, sent_slips
from node.ledger.accounts import AccountState
from node.ledger.lots import LotId
from node.ledger.tables import accounts
from node.orientation.conversions import Directed, Taken
from node.orientation.projects import Project, ProjectState
from node.orientation.tables import (
    directed_lots,
    direction_asks,
    dues,
    onward,
    orientations,
    project_orders,
    projects,
    returns,
    round_lots,
    rounds,
    supports,
)
from protocol.book.rows_store import insert_or_add, insert_rows, select_rows, update_rows
from protocol.cession import TERMINAL
from protocol.identifiers import AccountNumber, Address, format_address
from protocol.times import Instant

_PROJECT = (
    *("id", "op", "number", "shown_name", "theme", "target", "until", "state", "code"),
    *("directed", "converted", "supporters"),
)
_NEW = (*_PROJECT, "told_cents", "told_supporters", "opened_at")
_PARTS_AT_ONCE = 1_000


class Oriented(NamedTuple):
    """One orientation."""

    id: int
    op: bytes
    project_id: int
    origin: str
    account: str
    holder: str
    cents: int
    at: int


class Part(NamedTuple):
    """One lot of one orientation: what went, what is there, what was converted."""

    orientation: int
    lot: LotId
    cents: int
    held: int
    converted: int


class KeptOrder(NamedTuple):
    """What was asked of a project under an id."""

    op: bytes
    project_id: int
    kind: str
    asked: bytes
    cents: int
    done_at: int | None


class KeptReturn(NamedTuple):
    """What went back under an id."""

    op: bytes
    orientation: int
    cents: int
    why: str
    state: str


class KeptDue(NamedTuple):
    """What one fund owes for a round."""

    id: bytes
    round_op: bytes
    payer: str
    cents: int
    state: str


class KeptAsk(NamedTuple):
    """What a holder asked, and what he was answered."""

    op: bytes
    account: str
    asked: bytes
    code: str
    facts: str
    answer: str


def _project(row: Sequence[object]) -> Project:
    id_, op, number, shown_name, theme, target, until, state, code, directed, converted, supporters = row
    return Project(
        id=int(str(id_)),
        op=bytes(op),  # type: ignore[call-overload]
        number=AccountNumber(str(number)),
        shown_name=str(shown_name),
        theme=str(theme),
        target=int(str(target)),
        until=int(str(until)),
        state=ProjectState(str(state)),
        code=str(code),
        directed=int(str(directed)),
        converted=int(str(converted)),
        supporters=int(str(supporters)),
    )


def load_projects(connection: Connection, numbers: Collection[str]) -> dict[str, Project]:
    """Return the projects that have these account numbers."""
    found = select_rows(connection, projects, _PROJECT, column="number", values=numbers)
    return {row[2]: _project(row) for row in found}


def find_project(connection: Connection, op: bytes) -> Project | None:
    """Return the project that was opened under this id, or None."""
    found = select_rows(connection, projects, _PROJECT, column="op", values=(op,))
    return _project(found[0]) if found else None


def load_project(connection: Connection, id_: int) -> Project:
    """Return a project by its row."""
    return _project(select_rows(connection, projects, _PROJECT, column="id", values=(id_,))[0])


def load_all_projects(connection: Connection) -> list[Project]:
    """Return every project, the oldest first."""
    table = projects
    return [
        _project(tuple(row))
        for row in connection.execute(select(*(table.c[name] for name in _PROJECT)).order_by(table.c.id))
    ]


def insert_project(connection: Connection, project: Project, now: Instant) -> None:
    row = tuple(str(value) if isinstance(value, ProjectState) else value for value in _values_of(project))
    insert_rows(connection, projects, _NEW, [(*row, 0, 0, now)])


def _values_of(project: Project) -> tuple[object, ...]:
    return tuple(getattr(project, name) for name in _PROJECT)


def load_next_project(connection: Connection) -> int:
    return int(connection.execute(select(func.max(projects.c.id))).scalar() or 0) + 1


def save_state(connection: Connection, project_id: int, state: ProjectState, code: str) -> None:
    connection.execute(update(projects).where(projects.c.id == project_id).values(state=str(state), code=code))


def add_figures(
    connection: Connection, project_id: int, *, directed: int = 0, converted: int = 0, supporters: int = 0
) -> None:
    """Change a project's running figures, all at once: the table's rules hold between them."""
    table = projects.c
    connection.execute(
        update(projects)
        .where(table.id == project_id)
        .values(
            directed=table.directed + directed,
            converted=table.converted + converted,
            supporters=table.supporters + supporters,
        )
    )


def load_untold(connection: Connection, ids: Collection[int]) -> list[tuple[int, bytes, int, int]]:
    """Return id, op, directed and supporters of those whose support is not what was told last."""
    table = projects.c
    rows = connection.execute(
        select(table.id, table.op, table.directed, table.supporters)
        .where(
            table.id.in_(list(ids)),
            (table.directed != table.told_cents) | (table.supporters != table.told_supporters),
        )
        .order_by(table.id)
    )
    return [(int(row[0]), bytes(row[1]), int(row[2]), int(row[3])) for row in rows]


def save_told(connection: Connection, rows: Sequence[tuple[int, bytes, int, int]]) -> None:
    update_rows(
        connection,
        projects,
        [(cents, count, id_) for id_, _, cents, count in rows],
        setting=("told_cents", "told_supporters"),
        key=("id",),
    )


# Orientations


def load_next_orientation(connection: Connection) -> int:
    return int(connection.execute(select(func.max(orientations.c.id))).scalar() or 0) + 1


def insert_orientations(connection: Connection, rows: Sequence[Oriented]) -> None:
    insert_rows(connection, orientations, Oriented._fields, rows)


def insert_parts(connection: Connection, rows: Sequence[tuple[int, int, int, int]]) -> None:
    """Rows: (orientation, lot, project, cents)."""
    insert_rows(
        connection,
        directed_lots,
        ("orientation_id", "lot_id", "project_id", "cents", "held", "converted"),
        [(orientation, lot, project, cents, cents, 0) for orientation, lot, project, cents in rows],
    )


def find_orientations(connection: Connection, ops: Collection[bytes]) -> dict[bytes, Oriented]:
    """Return what was directed under these ids."""
    found = select_rows(connection, orientations, Oriented._fields, column="op", values=ops)
    return {bytes(row[1]): Oriented(*row) for row in found}


def load_orientations(connection: Connection, ids: Collection[int]) -> dict[int, Oriented]:
    found = select_rows(connection, orientations, Oriented._fields, column="id", values=ids)
    return {row[0]: Oriented(*row) for row in found}


def list_orientations(connection: Connection, *, account: str, before: int | None, limit: int) -> list[Row]:  # type: ignore[type-arg]
    """Return an account's newest orientations: op, at, project number and name, cents, held, converted, id."""
    lots = (
        select(
            directed_lots.c.orientation_id,
            func.sum(directed_lots.c.held).label("held"),
            func.sum(directed_lots.c.converted).label("converted"),
        )
        .group_by(directed_lots.c.orientation_id)
        .subquery()
    )
    query = (
        select(
            orientations.c.id,
            orientations.c.op,
            orientations.c.at,
            orientations.c.cents,
            projects.c.number,
            projects.c.shown_name,
            projects.c.state,
            lots.c.held,
            lots.c.converted,
        )
        .join_from(orientations, projects, projects.c.id == orientations.c.project_id)
        .join(lots, lots.c.orientation_id == orientations.c.id)
        .where(orientations.c.account == account)
    )
    if before is not None:
        query = query.where(orientations.c.id < before)
    return list(connection.execute(query.order_by(orientations.c.id.desc()).limit(limit)).all())


def load_parts(connection: Connection, ids: Collection[int]) -> dict[int, list[Part]]:
    """Return the lots of these orientations, by orientation."""
    columns = ("orientation_id", "lot_id", "cents", "held", "converted")
    found: dict[int, list[Part]] = {}
    for row in select_rows(connection, directed_lots, columns, column="orientation_id", values=ids):
        found.setdefault(row[0], []).append(Part(*row))
    return found


def save_parts(connection: Connection, rows: Iterable[tuple[int, int, int, int]]) -> None:
    """Change what is held and converted: (held by so much, converted by so much, orientation, lot), keys distinct."""
    update_rows(
        connection,
        directed_lots,
        list(rows),
        adding=("held", "converted"),
        key=("orientation_id", "lot_id"),
    )


def find_held_orientations(connection: Connection, project_id: int, *, after: int, limit: int) -> list[int]:
    """Return orientations of a project of which something is still there, in order, after a row."""
    table = directed_lots.c
    rows = connection.execute(
        select(table.orientation_id)
        .distinct()
        .where(table.project_id == project_id, table.held > 0, table.orientation_id > after)
        .order_by(table.orientation_id)
        .limit(limit)
    )
    return [int(row[0]) for row in rows]


def load_held(connection: Connection, project_id: int, *, after: int, limit: int) -> list[tuple[int, LotId, int]]:
    """Return (orientation, lot, cents) still directed to a project, orientation by orientation, after one of them."""
    ids = find_held_orientations(connection, project_id, after=after, limit=limit)
    parts = load_parts(connection, ids)
    return [(id_, part.lot, part.held) for id_ in ids for part in parts[id_] if part.held]


def add_supports(connection: Connection, project_id: int, changes: Mapping[str, int]) -> int:
    """Add to what holders have directed to a project (less where below zero); return how many supporters that makes more."""
    holders = list(changes)
    before = dict.fromkeys(holders, 0)
    for holder, project, cents in select_rows(
        connection, supports, ("holder", "project_id", "cents"), column="holder", values=holders
    ):
        if project == project_id:
            before[holder] = cents
    insert_or_add(
        connection,
        supports,
        ("holder", "project_id", "cents"),
        sorted((holder, project_id, change) for holder, change in changes.items() if change > 0),
        key=("holder", "project_id"),
        adding=("cents",),
    )
    update_rows(
        connection,
        supports,
        sorted((change, holder, project_id) for holder, change in changes.items() if change < 0),
        adding=("cents",),
        key=("holder", "project_id"),
    )
    return sum((before[holder] + change > 0) - (before[holder] > 0) for holder, change in changes.items())


# What went back


def insert_returns(connection: Connection, rows: Sequence[KeptReturn], now: Instant) -> None:
    insert_rows(
        connection,
        returns,
        ("op", "orientation_id", "cents", "why", "state", "at"),
        [(*row, now) for row in rows],
    )


def find_returns(connection: Connection, ops: Collection[bytes]) -> dict[bytes, KeptReturn]:
    columns = ("op", "orientation_id", "cents", "why", "state")
    return {
        bytes(row[0]): KeptReturn(*row) for row in select_rows(connection, returns, columns, column="op", values=ops)
    }


def count_returns(connection: Connection, orientation: int) -> int:
    """Return how often something went back of an orientation."""
    return int(
        connection.execute(
            select(func.count()).select_from(returns).where(returns.c.orientation_id == orientation)
        ).scalar_one()
    )


def count_all_returns(connection: Connection, ids: Collection[int]) -> dict[int, int]:
    """Return how often something went back of each of these orientations."""
    counts = dict.fromkeys(ids, 0)
    for row in select_rows(connection, returns, ("orientation_id",), column="orientation_id", values=ids):
        counts[row[0]] += 1
    return counts


def save_came_back(connection: Connection, ops: Iterable[bytes]) -> None:
    update_rows(connection, returns, [("came_back", op) for op in ops], setting=("state",), key=("op",))


# What the projects base asked


def find_order(connection: Connection, op: bytes) -> KeptOrder | None:
    found = select_rows(connection, project_orders, KeptOrder._fields, column="op", values=(op,))
    return KeptOrder(*found[0]) if found else None


def insert_order(connection: Connection, order: KeptOrder, now: Instant) -> None:
    insert_rows(connection, project_orders, (*KeptOrder._fields, "at"), [(*order, now)])


def load_waiting_releases(connection: Connection) -> list[KeptOrder]:
    """Return the releases of which something may still have to go back."""
    table = project_orders
    rows = connection.execute(
        select(*(table.c[name] for name in KeptOrder._fields))
        .where(table.c.kind == "release", table.c.done_at.is_(None))
        .order_by(table.c.at, table.c.op)
    )
    return [KeptOrder(bytes(row[0]), row[1], row[2], bytes(row[3]), row[4], row[5]) for row in rows]


def load_releases(connection: Connection, project_id: int) -> list[KeptOrder]:
    """Return the releases that were asked of a project."""
    found = select_rows(connection, project_orders, KeptOrder._fields, column="project_id", values=(project_id,))
    return sorted(KeptOrder(*row) for row in found if row[2] == "release")


def add_released(connection: Connection, op: bytes, cents: int) -> None:
    table = project_orders
    connection.execute(update(table).where(table.c.op == op).values(cents=table.c.cents + cents))


def save_done(connection: Connection, op: bytes, now: Instant | None) -> None:
    """Say that a release is done, or (None) that there is more to go back again."""
    connection.execute(update(project_orders).where(project_orders.c.op == op).values(done_at=now))


# Rounds


def is_round_known(connection: Connection, project_id: int, number: int) -> bool:
    return (
        connection.execute(
            select(rounds.c.op).where(rounds.c.project_id == project_id, rounds.c.round == number)
        ).first()
        is not None
    )


def insert_round(
    connection: Connection, *, op: bytes, project_id: int, number: int, cents: int, waiting: int, now: Instant
) -> None:
    insert_rows(
        connection,
        rounds,
        ("op", "project_id", "round", "cents", "waiting", "at"),
        [(op, project_id, number, cents, waiting, now)],
    )


def insert_round_lots(connection: Connection, op: bytes, taken: Iterable[Taken]) -> None:
    rows = [(op, one.orientation, one.lot, one.issuer, one.cents) for one in taken]
    insert_rows(connection, round_lots, ("round_op", "orientation_id", "lot_id", "payer", "cents"), rows)


def load_round_lots(connection: Connection, op: bytes, payer: str) -> list[Taken]:
    """Return what a round took that one payer owes."""
    table = round_lots.c
    rows = connection.execute(
        select(table.orientation_id, table.lot_id, table.cents, table.payer)
        .where(table.round_op == op, table.payer == payer)
        .order_by(table.orientation_id, table.lot_id)
    )
    return [Taken(int(row[0]), LotId(row[1]), int(row[2]), row[3]) for row in rows]


def load_round(connection: Connection, op: bytes) -> tuple[int, int, int]:
    """Return project, cents and waiting of a round."""
    row = connection.execute(
        select(rounds.c.project_id, rounds.c.cents, rounds.c.waiting).where(rounds.c.op == op)
    ).one()
    return int(row[0]), int(row[1]), int(row[2])


def add_waiting(connection: Connection, op: bytes, cents: int) -> None:
    """What was refused by its payer is directed again: it waits for another round."""
    connection.execute(update(rounds).where(rounds.c.op == op).values(waiting=rounds.c.waiting + cents))


def insert_due(connection: Connection, due: KeptDue, now: Instant) -> None:
    insert_rows(connection, dues, (*KeptDue._fields, "code", "at"), [(*due, "", now)])


def find_due(connection: Connection, id_: bytes) -> KeptDue | None:
    found = select_rows(connection, dues, KeptDue._fields, column="id", values=(id_,))
    return KeptDue(*found[0]) if found else None


def load_dues(connection: Connection, round_op: bytes) -> list[KeptDue]:
    """Return what is owed for a round, in the order of payers."""
    found = select_rows(connection, dues, KeptDue._fields, column="round_op", values=(round_op,))
    return sorted((KeptDue(*row) for row in found), key=lambda due: due.payer)


def save_due(connection: Connection, id_: bytes, state: str, code: str = "") -> None:
    connection.execute(update(dues).where(dues.c.id == id_).values(state=state, code=code))


# What holders asked


def find_ask(connection: Connection, op: bytes) -> KeptAsk | None:
    found = select_rows(connection, direction_asks, KeptAsk._fields, column="op", values=(op,))
    return KeptAsk(*found[0]) if found else None


def insert_ask(connection: Connection, ask: KeptAsk, now: Instant) -> None:
    insert_rows(connection, direction_asks, (*KeptAsk._fields, "at"), [(*ask, now)])


def make_directed(rows: Iterable[tuple[int, LotId, int]], terms: Mapping[LotId, tuple[str, int]]) -> list[Directed]:
    """Return what is held in the order of rounds; `terms` are issuer and month of each lot."""
    return [
        Directed(orientation, terms[lot][1], lot, cents, terms[lot][0]) for orientation, lot, cents in rows if cents
    ]


# ---------------------------------------------------------------- what goes on


def insert_onward(
    connection: Connection, op: bytes, account: str, choices: Sequence[Address], giver: str, at: int
) -> None:
    """Note where rights go on to, should the cession `op` come back; nothing where no choice is left."""
    if choices:
        told = " ".join(format_address(to) for to in choices)
        insert_rows(connection, onward, ("op", "account", "choices", "giver", "at"), [(op, account, told, giver, at)])


def list_ended_onward(connection: Connection, limit: int) -> list[Any]:
    """Return notes whose cession has ended, the oldest first, as rows with its `state` and `cents`."""
    state = func.coalesce(cessions.c.exception, sent_slips.c.state)
    joined = (
        onward.join(cessions, cessions.c.op == onward.c.op)
        .join(sent_slips, (sent_slips.c.epoch == cessions.c.epoch) & (sent_slips.c.ix == cessions.c.ix))
        .join(accounts, accounts.c.number == onward.c.account)
    )
    return list(
        connection.execute(
            select(onward, state.label("state"), cessions.c.cents, cessions.c.recall)
            .select_from(joined)
            .where(
                onward.c.ended_at.is_(None),
                state.in_(tuple(str(one) for one in TERMINAL)),
                accounts.c.state != AccountState.FROZEN,  # these wait until they are open again
            )
            .order_by(onward.c.at, onward.c.op)
            .limit(limit)
        ).all()
    )


def end_onward(connection: Connection, ops: Sequence[bytes], at: int) -> None:
    connection.execute(update(onward).where(onward.c.op.in_(ops)).values(ended_at=at))
