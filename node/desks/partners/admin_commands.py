"""What each `citizen-miles node partners` command does in the process that holds the companies' book."""

from __future__ import annotations

import asyncio
import datetime
import hashlib
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection

from node.doors.keys_admin_commands import KEY_COMMANDS
from node.partners.campaigns import (
    CampaignEvent,
    Ceilings,
    FixedSum,
    Funding,
    PercentOfSale,
    Restriction,
    RestrictionKind,
    Rule,
    Terms,
)
from node.partners.campaigns_service import DraftCampaign, ExpectMore, LeadCampaign, OpenCampaign
from node.partners.ceilings import FiscalYear
from node.partners.companies import FRANCE, Company, CompanyGroup, PostalAddress, Siren, YearEnd, require_siren
from node.partners.companies_service import NamedYears, OwnAccount, Turnover, list_companies
from node.partners.counterparts import Counterpart, Valuation
from node.partners.counterparts_service import EnterCounterpart
from node.partners.coupons import Coupon, CouponEvent, Occasion, PercentOff, SumOff
from node.partners.coupons_service import MoveCoupon, list_coupons
from node.partners.effects_service import load_company_effects
from node.partners.operations_file import Report
from node.partners.operations_service import BeginRun, StartRun, load_run, stream_report
from node.partners.pledges_service import PledgeView, list_calls
from node.partners.purchases import RevocationReason, TillNumber
from node.partners.reading_service import (
    CampaignView,
    list_company_campaigns,
    load_campaign_view,
    load_ceiling_use,
    load_public_sheet,
    load_standing,
)
from node.partners.runs import Run
from node.partners.store import CampaignRow
from node.partners.tickets_service import ClaimTicket
from node.partners.tills_service import KEY_ID_BYTES, SECRET_BYTES, NewTill, RevokeTill, list_tills
from node.partners_app import PartnersApp
from protocol.amounts import Cents, require_amount
from protocol.errors import Malformed
from protocol.identifiers import AccountNumber, Id16, format_id, parse_address, parse_id, require_number
from protocol.running import clock_service
from protocol.running.admin_client import Command
from protocol.running.explanations import explain
from protocol.times import format_instant, local_day, parse_day

Asked = Mapping[str, Any]
_PIECE: Final = 256 * 1024
_ROWS_SHOWN: Final = 500
_EFFECT_SUMS: Final = (
    *("directed_cents", "waiting_cents", "converted_cents", "owed_cents", "paid_cents", "netted_cents"),
    "confirmed_cents",
)


def _account(text: str, home: str) -> AccountNumber:
    """Return an account of this territory, by number or address. Raises InvalidAddress."""
    if "@" not in text:
        return require_number(text)
    address = parse_address(text)
    if address.territory != home:
        raise Malformed(field="account", reason=f"an account of {home}")
    return address.number


def _optional(cents: int | None) -> Cents | None:
    return None if cents is None else Cents(cents)


# ---------------------------------------------------------------- companies


async def _company(app: PartnersApp, asked: Asked) -> Any:
    month, _, day = asked["year_end"].partition("-")
    if not (month.isdigit() and day.isdigit()):
        raise Malformed(field="year_end", reason="written mm-dd")
    company = Company(
        siren=require_siren(asked["siren"]),
        legal_form=asked["legal_form"],
        name=asked["name"],
        address=PostalAddress(
            street=asked["street"], postcode=asked["postcode"], city=asked["town"], country=asked.get("country", FRANCE)
        ),
        year_end=YearEnd(month=int(month), day=int(day)),
    )
    donor = await app.book.write(app.partners.companies.save, company)
    return {"siren": company.siren, "name": company.name, "donor": donor.hex()}


async def _companies(app: PartnersApp, _asked: Asked) -> Any:
    told = await app.book.read(list_companies)
    return [{"siren": one.siren, "name": one.name, "form": one.legal_form, "city": one.address.city} for one in told]


async def _group(app: PartnersApp, asked: Asked) -> Any:
    group = CompanyGroup(
        id=parse_id(asked["id"]),
        name=asked["name"],
        members=frozenset(require_siren(siren) for siren in asked["members"]),
    )
    await app.book.write(app.partners.companies.save_groups, group)
    return {"id": group.id.hex(), "name": group.name, "members": sorted(group.members)}


async def _own_account(app: PartnersApp, asked: Asked) -> Any:
    own = OwnAccount(siren=require_siren(asked["siren"]), account=_account(asked["account"], app.home))
    await app.book.write(app.partners.companies.save_accounts, own)
    return {"siren": own.siren, "account": own.account}


async def _turnover(app: PartnersApp, asked: Asked) -> Any:
    told = Turnover(
        siren=require_siren(asked["siren"]),
        starts_on=parse_day(asked["starts_on"], "starts_on"),
        cents=Cents(asked["cents"]),
    )
    await app.book.write(app.partners.companies.save_turnovers, told)
    return {"siren": told.siren, "starts_on": told.starts_on.isoformat(), "cents": told.cents}


async def _years(app: PartnersApp, asked: Asked) -> Any:
    years = tuple(
        FiscalYear(starts_on=parse_day(starts, "starts_on"), ends_on=parse_day(ends, "ends_on"))
        for starts, ends in asked["years"]
    )
    siren = require_siren(asked["siren"])
    await app.book.write(app.partners.companies.save_years, NamedYears(siren=siren, years=years))
    return {"siren": siren, "years": [[one.starts_on.isoformat(), one.ends_on.isoformat()] for one in years]}


async def _sheet(app: PartnersApp, asked: Asked) -> Any:
    siren = require_siren(asked["siren"])
    sheet = await app.book.read(lambda line: load_public_sheet(line, siren, holders_min=app.settings.holders_min))
    return {
        "siren": sheet.siren,
        "name": sheet.name,
        "form": sheet.legal_form,
        "city": sheet.city,
        "group": list(sheet.group),
        "campaigns": list(sheet.campaigns),
        "paid_cents": sheet.paid,
        "granted_cents": sheet.granted,
        "holders": sheet.holders,
        "oriented_cents": sheet.oriented,
    }


async def _company_effects(app: PartnersApp, asked: Asked) -> Any:
    """What became of a company's miles, by campaign and project, and in sums."""
    siren = require_siren(asked["siren"])
    told = await app.book.read(lambda line: load_company_effects(line, siren))
    projects: list[dict[str, Any]] = [
        {
            "campaign": format_id(one.campaign),
            "name": one.campaign_title,
            "territory": one.territory,
            "project": format_id(one.project),
            "title": one.title,
            "directed_cents": one.waiting + one.converted,
            "waiting_cents": one.waiting,
            "converted_cents": one.converted,
            "owed_cents": one.owed,
            "paid_cents": one.paid,
            "netted_cents": one.netted,
            "confirmed_cents": one.confirmed,
        }
        for one in told
    ]
    sums = {name: sum(line[name] for line in projects) for name in _EFFECT_SUMS}
    return {"siren": siren, **sums, "projects": projects}


async def _standing(app: PartnersApp, asked: Asked) -> Any:
    """What the law and the company itself ask: the ceiling of each year, and what was received in return."""
    siren = require_siren(asked["siren"])
    today = local_day(app.book.clock(), app.config.zone)

    def find(line: Connection) -> dict[str, Any]:
        months = app.settings.months_max
        standing = load_standing(line, siren, today, months_max=months)
        return {
            "siren": siren,
            "given_cents": standing.given,
            "received_cents": standing.received,
            "allowed_cents": standing.allowed,
            "over_cents": standing.over,
            "years": [
                {
                    "from": use.year.starts_on.isoformat(),
                    "to": use.year.ends_on.isoformat(),
                    "of_year_cents": use.of_year,
                    "ceiling_cents": use.ceiling,
                    "used_cents": use.used,
                    "left_cents": use.left,
                    "carried_cents": sum(part.cents for part in use.carried),
                }
                for use in load_ceiling_use(line, siren, today, months_max=months)
            ],
        }

    return await app.book.read(find)


# ---------------------------------------------------------------- campaigns


def _read_terms(asked: Asked) -> Terms:
    threshold = Cents(asked.get("threshold", 0))
    rule: Rule = (
        FixedSum(cents=Cents(asked["fixed"]), threshold=threshold)
        if asked.get("fixed")
        else PercentOfSale(basis_points=asked["basis_points"], threshold=threshold)
    )
    restriction = None
    if asked.get("territory") or asked.get("theme"):
        kind = RestrictionKind.TERRITORY if asked.get("territory") else RestrictionKind.THEME
        restriction = Restriction(kind=kind, value=asked.get("territory") or asked["theme"])
    return Terms(
        title=asked["title"],
        rule=rule,
        ceilings=Ceilings(
            campaign=Cents(require_amount(asked["ceiling"])),
            purchase=_optional(asked.get("per_purchase")),
            day_and_holder=_optional(asked.get("per_day")),
        ),
        opens_on=parse_day(asked["opens_on"], "opens_on"),
        closes_on=parse_day(asked["closes_on"], "closes_on"),
        funding=Funding.CALLED if asked.get("called") else Funding.PREFUNDED,
        restriction=restriction,
    )


async def _draft(app: PartnersApp, asked: Asked) -> Any:
    draft = DraftCampaign(id=parse_id(asked["id"]), company=require_siren(asked["siren"]), terms=_read_terms(asked))
    campaign = await app.book.write(app.partners.campaigns.draft, draft)
    return {"id": campaign.id.hex(), "title": campaign.terms.title, "state": str(campaign.state)}


async def _open(app: PartnersApp, asked: Asked) -> Any:
    id_ = read_id(asked["campaign"])
    await app.book.write(
        app.partners.campaigns.open,
        OpenCampaign(campaign=id_, due=parse_day(asked["due"], "due"), cents=_optional(asked.get("cents"))),
    )
    return _show_campaign(await app.book.read(lambda line: load_campaign_view(line, id_)))


async def _expect_more(app: PartnersApp, asked: Asked) -> Any:
    id_ = read_id(asked["campaign"])
    more = ExpectMore(
        id=parse_id(asked["id"]), campaign=id_, cents=Cents(asked["cents"]), due=parse_day(asked["due"], "due")
    )
    await app.book.write(app.partners.campaigns.expect, more)
    return _show_campaign(await app.book.read(lambda line: load_campaign_view(line, id_)))


async def _lead(app: PartnersApp, asked: Asked) -> Any:
    try:
        event = CampaignEvent(asked["event"])
    except ValueError:
        raise Malformed(field="event", reason=f"one of {', '.join(CampaignEvent)}") from None
    campaign = await app.book.write(
        app.partners.campaigns.lead,
        LeadCampaign(campaign=read_id(asked["campaign"]), event=event, id=_own_id(asked)),
    )
    return {"id": campaign.id.hex(), "state": str(campaign.state)}


def read_id(text: str) -> Id16:
    """Return an id written with or without hyphens. Raises InvalidId."""
    return parse_id(text if "-" in text else f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}")


def _own_id(asked: Asked) -> Id16 | None:
    """Return the caller's own id, where it gives one. Raises InvalidId."""
    return parse_id(asked["id"]) if asked.get("id") else None


def _show_campaign(view: CampaignView) -> dict[str, Any]:
    row = view.row
    return _show_row(row) | {
        "waiting_cents": view.waiting,
        "in_tickets_cents": view.in_tickets,
        "payments": [
            {
                "id": one.id.hex(),
                "cents": one.cents,
                "arrived_cents": one.arrived,
                "due": one.due.isoformat(),
                "reference": one.reference,
                "iban": one.iban,
                "code": one.code,
                "closed_on": "" if one.closed_on is None else one.closed_on.isoformat(),
            }
            for one in view.expectations
        ],
        **({} if view.pledge is None else {"pledge": _show_pledge(view.pledge)}),
    }


def _show_pledge(pledge: PledgeView) -> dict[str, Any]:
    return {
        "id": pledge.id.hex(),
        "ceiling_cents": pledge.cents,
        "until": pledge.until.isoformat(),
        "accepted": pledge.is_accepted,
        "code": pledge.code,
        "called_cents": pledge.called,
        "released_cents": pledge.released,
        "unconverted_cents": pledge.unconverted,
    }


async def _company_calls(app: PartnersApp, asked: Asked) -> Any:
    siren = require_siren(asked["siren"])
    return [
        {
            "id": one.id.hex(),
            "month": one.month,
            "cents": one.cents,
            "arrived_cents": one.arrived,
            "due": one.due.isoformat(),
            "reference": one.reference,
            "iban": one.iban,
        }
        for one in await app.book.read(lambda line: list_calls(line, siren))
    ]


def _show_row(row: CampaignRow) -> dict[str, Any]:
    return {
        "id": row.campaign.id.hex(),
        "company": row.campaign.company,
        "title": row.campaign.terms.title,
        "state": str(row.campaign.state),
        "pool": row.pool or "",
        "funded_cents": row.funded,
        "spent_cents": row.spent,
        "left_cents": row.budget.left,
        "code": row.code,
    }


async def _campaign(app: PartnersApp, asked: Asked) -> Any:
    id_ = read_id(asked["campaign"])
    return _show_campaign(await app.book.read(lambda line: load_campaign_view(line, id_)))


async def _campaigns(app: PartnersApp, asked: Asked) -> Any:
    siren = require_siren(asked["siren"])
    return [_show_row(row) for row in await app.book.read(lambda line: list_company_campaigns(line, siren))]


# ---------------------------------------------------------------- tills and tickets


async def _till_new(app: PartnersApp, asked: Asked) -> Any:
    number = asked.get("number")
    new = NewTill(
        siren=require_siren(asked["siren"]),
        number=None if number is None else TillNumber(number),
        name=asked["name"],
        key_id=clock_service.entropy(KEY_ID_BYTES).hex(),
        secret=clock_service.entropy(SECRET_BYTES).hex(),
        id=_own_id(asked),
    )
    made = await app.book.write(app.partners.tills.make, new)
    is_repeat = made.key_id != new.key_id
    return {
        "siren": new.siren,
        "till": number,
        "name": new.name,
        "key_id": made.key_id,
        "key": "" if is_repeat else new.text,
        "repeated": is_repeat,
    }


async def _till_revoke(app: PartnersApp, asked: Asked) -> Any:
    reason = RevocationReason.COMPROMISED if asked.get("stolen") else RevocationReason.RETIRED
    till = await app.book.write(app.partners.tills.revoke, RevokeTill(key_id=asked["key_id"], reason=reason))
    return {"key_id": till.key_id, "reason": str(reason)}


async def _tills(app: PartnersApp, asked: Asked) -> Any:
    siren = require_siren(asked["siren"])
    return [
        {
            "key_id": one.key_id,
            "till": one.number or "office",
            "name": one.name,
            "since": format_instant(one.credential.issued_at),
            "revoked": "" if one.credential.revoked_at is None else format_instant(one.credential.revoked_at),
            "reason": str(one.credential.reason or ""),
        }
        for one in await app.book.read(lambda line: list_tills(line, siren))
    ]


async def _claim(app: PartnersApp, asked: Asked) -> Any:
    told, state, code = await app.partners.claim(
        ClaimTicket(
            text=asked["ticket"],
            holder=_account(asked["account"], app.home),
            day=local_day(app.book.clock(), app.config.zone),
            grant_id=app.partners.new_id(),
            id=_own_id(asked),
        ),
        wait_seconds=float(asked.get("wait_seconds", 5.0)),
    )
    return {"cents": told.cents, "state": str(state), "code": code, "repeated": told.is_repeat}


# ---------------------------------------------------------------- files of operations


def _pieces(file: Path) -> Iterator[bytes]:
    with file.open("rb") as data:
        while piece := data.read(_PIECE):
            yield piece


def _show_report(report: Report, language: str) -> dict[str, Any]:
    return {
        "rows": report.rows,
        "accepted": report.accepted,
        "cents": report.cents,
        "by_kind": {str(kind): cents for kind, cents in sorted(report.by_kind.items())},
        "by_code": dict(sorted(report.by_code.items())),
        "problems": [
            {
                "row": row.number,
                "code": row.refusal.code,
                "why": explain(row.refusal.code, row.refusal.facts, language),
            }
            for row in report.problems[:_ROWS_SHOWN]
            if row.refusal is not None
        ],
    }


async def _operations_try(app: PartnersApp, asked: Asked) -> Any:
    file, campaign = Path(asked["file"]), read_id(asked["campaign"])
    loop = asyncio.get_running_loop()
    told = await loop.run_in_executor(None, partial(app.partners.operations.dry_run, campaign, _pieces(file)))
    return _show_report(told.report, str(asked.get("language", "fr"))) | {"budget_left_cents": told.budget_left}


def _show_run(run: Run) -> dict[str, Any]:
    return {
        "id": run.id.hex(),
        "name": run.name,
        "state": str(run.state),
        "rows": run.read,
        "accepted": run.accepted,
        "cents": run.accepted_cents,
        "booked_to_line": run.booked,
    }


async def _operations_load(app: PartnersApp, asked: Asked) -> Any:
    file = Path(asked["file"])
    digest = hashlib.sha256()
    for piece in _pieces(file):
        digest.update(piece)
    begin = BeginRun(
        id=parse_id(asked["id"]),
        campaign=read_id(asked["campaign"]),
        digest=digest.digest(),
        name=str(asked.get("name") or file.name)[:80],
    )
    loop = asyncio.get_running_loop()
    run = await loop.run_in_executor(None, partial(app.partners.operations.load, begin, partial(_pieces, file)))
    return _show_run(run)


async def _operations_book(app: PartnersApp, asked: Asked) -> Any:
    id_ = read_id(asked["run"])
    await app.book.write(
        app.partners.operations.start, StartRun(run=id_, skips_wrong=bool(asked.get("skips_wrong", False)))
    )
    loop = asyncio.get_running_loop()
    return _show_run(await loop.run_in_executor(None, partial(app.partners.operations.book_all, id_)))


async def _operations_show(app: PartnersApp, asked: Asked) -> Any:
    id_ = read_id(asked["run"])
    return _show_run(await app.book.read(lambda line: load_run(line, id_)))


async def _operations_report(app: PartnersApp, asked: Asked) -> Any:
    id_, language = read_id(asked["run"]), str(asked.get("language", "fr"))
    first, most = int(asked.get("after", 0)), int(asked.get("limit", 10_000))

    def find(line: Connection) -> list[dict[str, Any]]:
        told = []
        for row in stream_report(line, id_):
            if row.number <= first:
                continue
            told.append(
                {
                    "line": row.number,
                    "id": row.operation,
                    "account": row.account,
                    "cents": row.cents,
                    "state": str(row.state or "refused"),
                    "code": row.code,
                    "why": explain(row.code, row.facts, language) if row.code else "",
                }
            )
            if len(told) >= most:
                break
        return told

    return await app.book.read(find)


# ---------------------------------------------------------------- counterparts and coupons


async def _counterpart(app: PartnersApp, asked: Asked) -> Any:
    try:
        valuation = Valuation(asked["valuation"])
    except ValueError:
        raise Malformed(field="valuation", reason=f"one of {', '.join(Valuation)}") from None
    entered = EnterCounterpart(
        company=require_siren(asked["siren"]),
        counterpart=Counterpart(
            id=parse_id(asked["id"]),
            day=parse_day(asked["day"], "day"),
            description=asked["description"],
            value=Cents(require_amount(asked["cents"])),
            valuation=valuation,
            giver=asked["giver"],
        ),
    )
    await app.book.write(app.partners.counterparts.enter, entered)
    return {"id": format_id(entered.counterpart.id), "cents": entered.counterpart.value}


async def _coupon(app: PartnersApp, asked: Asked) -> Any:
    try:
        occasion = Occasion(asked["occasion"])
    except ValueError:
        raise Malformed(field="occasion", reason=f"one of {', '.join(Occasion)}") from None
    discount: PercentOff | SumOff = (
        SumOff(cents=Cents(asked["cents"])) if asked.get("cents") else PercentOff(basis_points=asked["basis_points"])
    )
    told = await app.book.write(
        app.partners.coupons.issue,
        Coupon(
            id=parse_id(asked["id"]),
            merchant=require_siren(asked["siren"]),
            words=asked["words"],
            discount=discount,
            occasion=occasion,
            valid_from=parse_day(asked["valid_from"], "valid_from"),
            valid_to=parse_day(asked["valid_to"], "valid_to"),
            sale_min=Cents(asked.get("sale_min", 0)),
        ),
    )
    return _show_coupon(told.coupon)


def _show_coupon(coupon: Coupon) -> dict[str, Any]:
    return {
        "id": coupon.id.hex(),
        "words": coupon.words,
        "state": str(coupon.state),
        "from": coupon.valid_from.isoformat(),
        "to": coupon.valid_to.isoformat(),
        "used_by": coupon.used_by,
        "used_cents": coupon.used_cents,
    }


async def _coupon_move(app: PartnersApp, asked: Asked) -> Any:
    try:
        event = CouponEvent(asked["event"])
    except ValueError:
        raise Malformed(field="event", reason=f"one of {', '.join(CouponEvent)}") from None
    day: datetime.date = local_day(app.book.clock(), app.config.zone)
    told = await app.book.write(
        app.partners.coupons.move,
        MoveCoupon(
            merchant=Siren(require_siren(asked["siren"])),
            coupon=read_id(asked["coupon"]),
            event=event,
            day=day,
            sale=asked.get("sale", ""),
            cents=Cents(asked.get("cents", 0)),
        ),
    )
    return _show_coupon(told.coupon)


async def _coupons(app: PartnersApp, asked: Asked) -> Any:
    siren = require_siren(asked["siren"])
    return [_show_coupon(one) for one in await app.book.read(lambda line: list_coupons(line, siren))]


PARTNERS_COMMANDS: Final[Mapping[str, Command]] = {
    "company": _company,
    "companies": _companies,
    "group": _group,
    "own_account": _own_account,
    "turnover": _turnover,
    "years": _years,
    "sheet": _sheet,
    "standing": _standing,
    "company_effects": _company_effects,
    "draft": _draft,
    "open": _open,
    "expect_more": _expect_more,
    "lead": _lead,
    "campaign": _campaign,
    "campaigns": _campaigns,
    "company_calls": _company_calls,
    "till_new": _till_new,
    "till_revoke": _till_revoke,
    "tills": _tills,
    "claim": _claim,
    "operations_try": _operations_try,
    "operations_load": _operations_load,
    "operations_book": _operations_book,
    "operations_show": _operations_show,
    "operations_report": _operations_report,
    "counterpart": _counterpart,
    "coupon": _coupon,
    "coupon_move": _coupon_move,
    "coupons": _coupons,
    **KEY_COMMANDS,
}
