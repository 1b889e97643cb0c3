"""Book files of operations that are not tied to a sale: keep the rows, start, book them part by part, go on after a stop.

Each step is an operation that can be repeated: rows that are kept or booked already are passed over.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from sqlalchemy import Connection, select

from node.partners import store, tables
from node.partners.answering import answer_each
from node.partners.campaigns import CampaignState
from node.partners.companies import Siren
from node.partners.companies_service import load_circle
from node.partners.errors import (
    BudgetTooSmall,
    CampaignNotRunning,
    OperationsFileRefused,
    RunMismatch,
    RunUnknown,
)
from node.partners.grants import GrantLine, GrantSource, GrantState, make_id, shorten_words
from node.partners.operations_file import Report, Row, add_to_report, read_operations
from node.partners.outbox_service import Outbox
from node.partners.runs import Run, RunState, judge_rows
from node.partners.seals import SEALED, seal
from node.partners.settings import PartnersSettings
from protocol.amounts import CENTS_MAX, Cents
from protocol.book.rows_store import insert_rows, select_rows, update_rows
from protocol.book.seals import compute_seal
from protocol.book.service import Book
from protocol.book.stream_store import stream
from protocol.book.worker import Page
from protocol.errors import Refusal
from protocol.identifiers import AccountNumber, Address, Id16, format_id, require_id

_runs = tables.runs
_rows = tables.run_rows
_ROW: Final = (*SEALED["run_rows"], "code", "seal")
_GRANT: Final = ("id", "campaign_id", "account", "cents", "source", "source_id", "at", "state")
PROBLEMS_MAX: Final = 1_000

# Called with the bytes of the file and the rows that are done.
OnProgress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginRun:
    """Keep a file's rows under this id. Raises InvalidId."""

    id: Id16
    campaign: Id16
    digest: bytes  # of the whole file
    name: str

    def __post_init__(self) -> None:
        require_id(self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepRows:
    """Rows of a run, in order; `is_last` with the last ones."""

    run: Id16
    rows: tuple[Row, ...]
    is_last: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StartRun:
    """Book what was kept. `skips_wrong`: the right rows, although others are wrong."""

    run: Id16
    skips_wrong: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """What a file would come to."""

    report: Report
    digest: bytes
    budget_left: Cents


class OperationDesk:
    """Operations for the book's writer on files of operations, and the loops that lead them."""

    def __init__(
        self,
        book: Book,
        outbox: Outbox,
        settings: PartnersSettings,
        *,
        entropy: Callable[[int], bytes],
    ) -> None:
        self._book = book
        self._outbox = outbox
        self._settings = settings
        self._entropy = entropy

    # What a caller does, from any thread that may wait: a file of a million rows takes minutes.

    def dry_run(self, campaign: Id16, pieces: Iterable[bytes], on_progress: OnProgress = lambda _b, _r: None) -> DryRun:
        """Return what the file would come to; nothing is kept. Raises CampaignUnknown, OperationsFileRefused."""
        digest = hashlib.sha256()
        left, rows = self._read(campaign, None, _digested(pieces, digest.update))
        report = Report()
        for row in rows:
            add_to_report(report, row, problems_max=PROBLEMS_MAX)
            if report.rows % self._settings.run_rows == 0:
                on_progress(row.end, report.rows)
        return DryRun(report=report, digest=digest.digest(), budget_left=Cents(left))

    def load(
        self,
        asked: BeginRun,
        open_file: Callable[[], Iterable[bytes]],
        on_progress: OnProgress = lambda _b, _r: None,
    ) -> Run:
        """Keep the rows of a file, all of them or from where it stopped; return the run.

        The file is read twice: first to know that it is the one, and whole. Raises CampaignUnknown, RunMismatch,
        OperationsFileRefused: then nothing of it is kept that could be booked.
        """
        digest = hashlib.sha256()
        _, checked = self._read(asked.campaign, asked.id, _digested(open_file(), digest.update))
        for _ in checked:  # to its end: a file that is refused late is not kept in part
            pass
        if digest.digest() != asked.digest:
            raise RunMismatch(reason="its content is another")
        run: Run = self._book.write_now(self.begin, asked)
        if run.state is not RunState.LOADING:
            return run
        _, rows = self._read(asked.campaign, asked.id, open_file(), left=run.budget_left)
        waiting = (row for row in rows if row.number > run.loaded)
        part = tuple(islice(waiting, self._settings.run_rows))
        while True:
            following = tuple(islice(waiting, self._settings.run_rows))
            run = self._book.write_now(self.keep, KeepRows(run=asked.id, rows=part, is_last=not following))
            if part:
                on_progress(part[-1].end, run.read)
            if not following:
                return run
            part = following

    def book_all(self, run: Id16, on_progress: OnProgress = lambda _b, _r: None) -> Run:
        """Book the rows of a run that was started, to its end; goes on where it stopped. Raises RunUnknown."""
        while True:
            done: Run = self._book.write_now(self.book, run)
            on_progress(0, done.booked)
            if done.state is RunState.DONE:
                return done

    # Operations for the writer.

    def begin(self, page: Page, items: Sequence[BeginRun]) -> list[Run | Refusal]:
        """Begin each run, or return it as it stands. Raises RunMismatch for another file under its id."""
        return answer_each(items, lambda item: self._begin(page, item))

    def keep(self, page: Page, items: Sequence[KeepRows]) -> list[Run | Refusal]:
        """Keep rows; those that are kept already are passed over."""
        return answer_each(items, lambda item: self._keep(page, item))

    def start(self, page: Page, items: Sequence[StartRun]) -> list[Run | Refusal]:
        """Set the budget of all accepted rows aside. Raises why not: rows are wrong, or the budget holds no more."""
        return answer_each(items, lambda item: self._start(page, item))

    def book(self, page: Page, items: Sequence[Id16]) -> list[Run | Refusal]:
        """Book the next rows of each run."""
        return answer_each(items, lambda item: self._book_part(page, item))

    def _read(
        self, campaign: Id16, run: Id16 | None, pieces: Iterable[bytes], *, left: int | None = None
    ) -> tuple[int, Iterator[Row]]:
        """Return the budget that rows are counted against, and the rows as they are judged."""
        row = self._book.read_now(lambda connection: store.load_campaign(connection, campaign))
        siren = row.campaign.company
        circle = self._book.read_now(lambda connection: load_circle(connection, siren))
        home = self._settings.home
        budget = row.budget.left if left is None else left
        read = read_operations(
            pieces,
            budget_left=Cents(CENTS_MAX * self._settings.rows_max),  # counted below, where all refusals are known
            company=siren,
            own=frozenset(Address(AccountNumber(number), home) for number in circle.accounts),
            rows_max=self._settings.rows_max,
        )

        def find_known(ids: Sequence[str]) -> set[str]:
            return self._book.read_now(lambda connection: _find_known(connection, siren, ids, run))

        return budget, judge_rows(read, home=home, left=budget, find_known=find_known)

    def _begin(self, page: Page, asked: BeginRun) -> Run:
        campaign = store.load_campaign(page.connection, asked.campaign)
        known = find_run(page.connection, asked.id)
        if known is not None:
            if known.digest != asked.digest or known.campaign != asked.campaign:
                raise RunMismatch(reason="another file, or another campaign, was begun under this id")
            return known
        page.connection.execute(
            _runs.insert().values(
                state=RunState.LOADING,
                **seal(
                    "runs",
                    {
                        "id": asked.id,
                        "campaign_id": campaign.row,
                        "digest": asked.digest,
                        "name": asked.name[:140],
                        "budget_left": campaign.budget.left,
                        "at": page.now,
                    },
                ),
            )
        )
        return load_run(page.connection, asked.id)

    def _keep(self, page: Page, asked: KeepRows) -> Run:
        run = load_run(page.connection, asked.run)
        if run.state is not RunState.LOADING:
            return run
        rows = [_keep_row(asked.run, row) for row in asked.rows if row.number > run.loaded]
        insert_rows(page.connection, _rows, _ROW, rows)
        right = [row for row in asked.rows if row.number > run.loaded and row.operation is not None]
        page.connection.execute(
            _runs.update()
            .where(_runs.c.id == asked.run)
            .values(
                loaded=max(run.loaded, asked.rows[-1].number if asked.rows else 0),
                read=run.read + len(rows),
                accepted=run.accepted + len(right),
                accepted_cents=run.accepted_cents + sum(row.operation.cents for row in right if row.operation),
                state=RunState.LOADED if asked.is_last else RunState.LOADING,
            )
        )
        return load_run(page.connection, asked.run)

    def _start(self, page: Page, asked: StartRun) -> Run:
        run = load_run(page.connection, asked.run)
        if run.state in (RunState.BOOKING, RunState.DONE):
            return run
        if run.state is RunState.LOADING:
            raise RunMismatch(reason="its file was not read to the end: give it again")
        if not run.is_clean and not asked.skips_wrong:
            wrong = run.read - run.accepted
            raise OperationsFileRefused(reason=f"{wrong} of {run.read} rows are wrong: see its report")
        if not run.accepted:
            raise OperationsFileRefused(reason="no row of it is right")
        row = store.load_campaign(page.connection, run.campaign)
        if row.campaign.state is not CampaignState.RUNNING:
            raise CampaignNotRunning(state=row.campaign.state, at=page.now)
        left = row.budget.left
        if run.accepted_cents > left:
            missing = run.accepted_cents - left
            raise BudgetTooSmall(available=left, asked=run.accepted_cents, missing=missing)
        row.spent += run.accepted_cents
        store.save_spent(page.connection, [row])
        page.connection.execute(
            _runs.update().where(_runs.c.id == asked.run).values(state=RunState.BOOKING, aside=run.accepted_cents)
        )
        return load_run(page.connection, asked.run)

    def _book_part(self, page: Page, id_: Id16) -> Run:
        run = load_run(page.connection, id_)
        if run.state is RunState.DONE:
            return run
        if run.state is not RunState.BOOKING:
            raise RunMismatch(reason="it was not started")
        campaign = store.load_campaign(page.connection, run.campaign)
        assert campaign.pool is not None
        rows = page.connection.execute(
            select(_rows.c.number, _rows.c.operation, _rows.c.account, _rows.c.cents, _rows.c.label)
            .where(_rows.c.run_id == id_, _rows.c.number > run.booked, _rows.c.code == "")
            .order_by(_rows.c.number)
            .limit(self._settings.run_rows)
        ).all()
        siren = campaign.campaign.company
        # Another file may have taken an id since this one was read.
        known = _find_known(page.connection, siren, [row.operation for row in rows], id_)
        words = shorten_words(campaign.campaign.terms.title)
        grants: list[tuple[Any, ...]] = []
        booked: list[tuple[Any, ...]] = []
        for row in rows:
            if row.operation in known:
                continue
            grant_id = make_id(page.now, self._entropy(10))
            grants.append(
                (
                    grant_id,
                    campaign.row,
                    row.account,
                    row.cents,
                    GrantSource.OPERATION,
                    row.number,
                    page.now,
                    GrantState.TOLD,
                )
            )
            booked.append((operation_key(siren, row.operation), grant_id, id_, row.number))
            line = GrantLine(grant_id, row.account, row.cents, shorten_words(row.label) or words)
            self._outbox.grant(page, campaign.pool, line)
        insert_rows(page.connection, tables.grants, _GRANT, grants)
        update_rows(page.connection, _rows, booked, setting=("key", "grant_id"), key=("run_id", "number"))
        refused = [("operation_known", id_, row.number) for row in rows if row.operation in known]
        update_rows(page.connection, _rows, refused, setting=("code",), key=("run_id", "number"))
        aside = run.aside - sum(row[3] for row in grants)
        values: dict[str, Any] = {"booked": rows[-1].number if rows else run.booked, "aside": aside}
        if len(rows) < self._settings.run_rows:
            # What was set aside for rows that another file took goes back.
            campaign.spent -= aside
            store.save_spent(page.connection, [campaign])
            values |= {"aside": 0, "state": RunState.DONE, "ended_at": page.now}
        page.connection.execute(_runs.update().where(_runs.c.id == id_).values(**values))
        return load_run(page.connection, id_)


def operation_key(siren: Siren, id_: str) -> str:
    """Return what names an operation of a company, whichever file it stands in."""
    return f"{siren}/{id_}"


def _digested(pieces: Iterable[bytes], update: Callable[[bytes], None]) -> Iterator[bytes]:
    for piece in pieces:
        update(piece)
        yield piece


def _keep_row(run: Id16, row: Row) -> tuple[Any, ...]:
    operation = row.operation
    if operation is None:
        assert row.refusal is not None
        sealed: tuple[Any, ...] = (run, row.number, "", None, "", 0, "", store.write_facts(row.refusal))
        return (*sealed, row.refusal.code, compute_seal("run_rows", sealed))
    told = (operation.id, str(operation.kind), operation.account.number, operation.cents, operation.label)
    sealed = (run, row.number, *told, "{}")
    return (*sealed, "", compute_seal("run_rows", sealed))


def _find_known(connection: Connection, siren: Siren, ids: Sequence[str], run: Id16 | None) -> set[str]:
    """Return which ids of a company were booked before, in other runs than this one."""
    keys = {operation_key(siren, id_): id_ for id_ in ids}
    found = select_rows(connection, _rows, ("key", "run_id"), column="key", values=keys.keys())
    return {keys[row[0]] for row in found if bytes(row[1]) != run}


def find_run(connection: Connection, id_: Id16) -> Run | None:
    """Return the run of this id, or None."""
    row = connection.execute(
        select(_runs, tables.campaigns.c.uid)
        .join_from(_runs, tables.campaigns, tables.campaigns.c.id == _runs.c.campaign_id)
        .where(_runs.c.id == id_)
    ).first()
    if row is None:
        return None
    return Run(
        id=id_,
        campaign=Id16(bytes(row.uid)),
        name=row.name,
        digest=bytes(row.digest),
        budget_left=row.budget_left,
        loaded=row.loaded,
        read=row.read,
        accepted=row.accepted,
        accepted_cents=row.accepted_cents,
        aside=row.aside,
        booked=row.booked,
        state=RunState(row.state),
    )


def load_run(connection: Connection, id_: Id16) -> Run:
    """Return the run of this id. Raises RunUnknown."""
    run = find_run(connection, id_)
    if run is None:
        raise RunUnknown(id=format_id(id_))
    return run


def list_unfinished(connection: Connection) -> list[Run]:
    """Return the runs that were started and are not done, the oldest first: a worker goes on with them."""
    ids = connection.execute(select(_runs.c.id).where(_runs.c.state == RunState.BOOKING).order_by(_runs.c.at)).scalars()
    return [load_run(connection, Id16(bytes(id_))) for id_ in ids]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRow:
    """One row of a run's report. `state` is the grant's, none where nothing was told; `code` says why not."""

    number: int
    operation: str
    account: str
    cents: int
    state: GrantState | None
    code: str
    facts: dict[str, int | str]


def stream_report(connection: Connection, run: Id16) -> Iterator[ReportRow]:
    """Give out the report of a run row by row, in the order of its file."""
    grants = tables.grants
    statement = (
        select(
            _rows.c.number,
            _rows.c.operation,
            _rows.c.account,
            _rows.c.cents,
            _rows.c.code,
            _rows.c.facts,
            grants.c.state,
            grants.c.code.label("refused"),
        )
        .join_from(_rows, grants, grants.c.id == _rows.c.grant_id, isouter=True)
        .where(_rows.c.run_id == run)
        .order_by(_rows.c.number)
    )
    for row in stream(connection, statement):
        yield ReportRow(
            number=row.number,
            operation=row.operation,
            account=row.account,
            cents=row.cents,
            state=None if row.state is None else GrantState(row.state),
            code=row.code or row.refused or "",
            facts=store.read_facts(row.facts),
        )
