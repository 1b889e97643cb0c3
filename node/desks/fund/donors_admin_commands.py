"""What the fund's commands of donors and of what is expected of them do in the process that holds its book."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, func, select

from node.desks.fund.rows import ROWS_MAX, Asked, read_pool, show_day, show_expectation, take_page, write_page
from node.desks.fund.words import read_bytes
from node.fund.days import day_at, day_of, number_of, parse_day
from node.fund.donor_service import find_donor, keep_individual
from node.fund.effects_service import load_effects
from node.fund.expectation_service import Announce, load_expectation, load_expectations
from node.fund.expectations import Expectation, ExpectationState, Purpose
from node.fund.letters import require_language, write_reminder
from node.fund.payment_qr import PaymentRequest, draw_svg, write_payload
from node.fund.receipts import Individual, PostalAddress
from node.fund.reminder_service import Close, Overdue
from node.fund.tables import donors
from node.fund_app import FundApp
from protocol.amounts import Cents, require_amount
from protocol.book.worker import Page
from protocol.errors import Malformed
from protocol.house import Donor
from protocol.identifiers import Id16, parse_id
from protocol.running.admin_client import Command


async def _donors(app: FundApp, asked: Asked) -> Any:
    limit = asked.get("limit", ROWS_MAX)

    def find(connection: Connection) -> Any:
        query = select(donors).order_by(donors.c.name, donors.c.id).limit(limit + 1)
        if cursor := asked.get("cursor"):
            last = connection.execute(select(donors).where(donors.c.id == read_bytes(cursor))).first()
            if last is None:
                raise Malformed(field="cursor", reason="what `next` said of the page before")
            query = query.where(
                (donors.c.name > last.name) | ((donors.c.name == last.name) & (donors.c.id > bytes(last.id)))
            )
        rows = connection.execute(query).all()
        page = rows[:limit]

        def count_left() -> int:
            found = select(func.count()).select_from(query.order_by(None).limit(None).subquery())
            return int(connection.execute(found).scalar_one()) - len(page)

        shown = [{"id": bytes(row.id).hex(), "kind": row.kind, "siren": row.siren, "name": row.name} for row in page]
        return write_page(shown, bytes(page[-1].id).hex() if len(rows) > limit else "", asked, count_left)

    return await app.book.read(find)


async def _donor_effects(app: FundApp, asked: Asked) -> Any:
    told = await app.book.read(lambda connection: load_effects(connection, find_donor(connection, asked["donor"])))
    return {
        "paid_in_cents": told.paid_in,
        "converted_cents": sum(one.converted for one in told.effects),
        "paid_cents": sum(one.paid for one in told.effects),
        "netted_cents": sum(one.netted for one in told.effects),
        "projects": [
            {
                "campaign": one.campaign,
                "territory": one.territory,
                "project": one.project.hex(),
                "title": one.title,
                "converted_cents": one.converted,
                "paid_cents": one.paid,
                "netted_cents": one.netted,
            }
            for one in told.effects
        ],
    }


async def _donor_add(app: FundApp, asked: Asked) -> Any:
    person = Individual(
        name=asked["name"],
        first_name=asked["first_name"],
        address=PostalAddress(street=asked["street"], postcode=asked["postcode"], town=asked["town"]),
    )
    id_ = parse_id(asked["id"])

    def keep(page: Page, items: Sequence[Individual]) -> list[Any]:
        for item in items:
            keep_individual(page, id_, item)
        return [None for _ in items]

    await app.book.write(keep, person)
    return {"id": id_.hex(), "name": f"{person.first_name} {person.name}"}


async def _company_add(app: FundApp, asked: Asked) -> Any:
    month, _, day = asked["year_end"].partition("-")
    if not (month.isdigit() and day.isdigit() and 1 <= int(month) <= 12 and 1 <= int(day) <= 31):
        raise Malformed(field="year_end", reason="written mm-dd")
    told = Donor(
        parse_id(asked["id"]),
        asked["siren"],
        asked["name"],
        asked["legal_form"],
        (asked["street"],),
        asked["postcode"],
        asked["town"],
        asked.get("country", "FR"),
        (int(month), int(day)),
    )
    await app.book.write(app.fund.keep_companies, told)
    return {"id": told.id.hex(), "siren": told.siren, "name": told.name}


async def _expect(app: FundApp, asked: Asked) -> Any:
    donor = await app.book.read(lambda connection: find_donor(connection, asked["donor"]))
    found = await app.book.write(
        app.fund.announce,
        Announce(
            id=parse_id(asked["id"]),
            purpose=Purpose.CAMPAIGN,
            donor=donor,
            cents=Cents(require_amount(asked["cents"])),
            due=number_of(parse_day(asked["due"])),
            campaign=asked["campaign"],
            lot_class=asked["lot_class"],
            restriction=asked["restriction"],
            pool=read_pool(asked["pool"], app.home),
        ),
    )
    return show_expectation(found)


async def _expected(app: FundApp, asked: Asked) -> Any:
    def keep(one: Expectation) -> bool:
        return one.state is ExpectationState.OPEN or not asked.get("open_only", False)

    found = await app.book.read(load_expectations)
    return take_page(found, asked, lambda one: one.id.hex(), show_expectation, keep=keep)


async def _overdue(app: FundApp, asked: Asked) -> Any:
    today = number_of(day_at(app.book.clock()))
    told = await app.book.read(lambda line: app.fund.reminders.load_overdue(line, today))

    def keep(one: Overdue) -> bool:
        return not asked.get("due_only") or (one.next_on is not None and one.next_on <= today)

    return take_page(told, asked, lambda one: one.expectation.id.hex(), _show_overdue, is_newest_last=False, keep=keep)


def _show_overdue(one: Overdue) -> dict[str, Any]:
    first, second = (*(show_day(day) for day in one.reminders), "", "")[:2]
    row = show_expectation(one.expectation) | {"donor_name": one.donor_name}
    return row | {"first_reminder": first, "second_reminder": second, "next_reminder_from": show_day(one.next_on)}


async def _remind(app: FundApp, asked: Asked) -> Any:
    language = asked.get("language", "fr")
    require_language(language)  # before it is noted as sent
    told = await app.book.write(app.fund.reminders.remind, Id16(read_bytes(asked["id"])))
    one, account = told.expectation, app.settings.account
    rank = len(told.reminders)
    letter = write_reminder(
        language,
        rank,
        fund=app.settings.name,
        holder=account.name,
        iban=account.iban,
        reference=one.reference,
        cents=one.cents,
        received=one.received,
        due=day_of(one.due),
        before=day_of(told.reminders[0]) if rank > 1 else None,
    )
    return show_expectation(one) | {"reminder": rank, "day": show_day(told.reminders[-1]), "letter": letter}


async def _expectation_close(app: FundApp, asked: Asked) -> Any:
    close = Close(id=Id16(read_bytes(asked["id"])), by=asked["by"], reason=asked["reason"])
    return show_expectation(await app.book.write(app.fund.reminders.close, close))


async def _payment_qr(app: FundApp, asked: Asked) -> Any:
    one = await app.book.read(lambda connection: load_expectation(connection, read_bytes(asked["id"])))
    account = app.settings.account
    payload = write_payload(
        PaymentRequest(name=account.name, iban=account.iban, cents=one.left, reference=one.reference, bic=account.bic)
    )
    return {"reference": one.reference, "cents": one.left, "svg": draw_svg(payload)}


DONORS_COMMANDS: Final[Mapping[str, Command]] = {
    "donors": _donors,
    "donor_effects": _donor_effects,
    "donor_add": _donor_add,
    "company_add": _company_add,
    "expect": _expect,
    "expected": _expected,
    "overdue": _overdue,
    "remind": _remind,
    "expectation_close": _expectation_close,
    "payment_qr": _payment_qr,
}
