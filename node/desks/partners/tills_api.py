"""The HTTP API of the companies base: tills, e-shops and companies' offices. JSON in, JSON out, the till's own ids.

It stands on `Partners` alone, so that whoever keeps the companies base serves it, with the accounts beside it or not.
Every door stands in one table: what is served is what is described.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, TypeVar

from aiohttp import web
from msgspec import Struct

from node.desks.partners.counter_api import COUNTER, Counter, answer, authorise, authorise_in_force, authorise_office
from node.desks.partners.coupon_lines import CouponLine, CouponRequest, CouponsAnswer, CouponUseRequest
from node.desks.partners.coupons_api import issue_coupon, list_coupons, show_coupon, use_coupon, withdraw_coupon
from node.desks.partners.guesses import name_caller
from node.desks.partners.tills_answers import (
    BatchAnswer,
    CampaignAnswer,
    CampaignsAnswer,
    CeilingsAnswer,
    ClaimLine,
    PurchaseLine,
    RefundLine,
    SheetAnswer,
    StandingAnswer,
    tell_campaign,
    tell_claim,
    tell_purchase,
    tell_refund,
    tell_sheet,
    tell_standing,
    tell_years,
)
from node.desks.partners.tills_requests import (
    BatchLines,
    BatchRequest,
    ClaimRequest,
    PurchaseItem,
    PurchaseRequest,
    RefundRequest,
    read_holder,
    read_purchase,
)
from node.doors.bodies import read_body, read_lines
from node.partners.companies import require_siren
from node.partners.errors import (
    CampaignUnknown,
    PartnersRefusal,
    SaleUnknown,
    TicketExpired,
    TicketForged,
    TicketNotClaimable,
    TicketUnknown,
    TicketVoid,
    remake,
)
from node.partners.purchases import Purchase, require_purchase_id
from node.partners.purchases_service import TellSales, Told
from node.partners.reading_service import (
    list_company_campaigns,
    load_campaign_view,
    load_ceiling_use,
    load_public_sheet,
    load_standing,
)
from node.partners.refunds_service import AskRefund
from node.partners.sales import RefundState
from node.partners.service import Partners
from node.partners.tickets import read_origin
from node.partners.tickets_service import ClaimTicket
from node.partners.tills_service import Till
from protocol.amounts import Cents
from protocol.errors import Refusal
from protocol.identifiers import format_id, parse_id
from protocol.running.http_service import Metrics, Probe, choose_language, make_application
from protocol.running.openapi import Api, Route, describe_api
from protocol.times import parse_instant

BODY_BYTES_MAX: Final = 2 * 1024 * 1024
WAIT_SECONDS: Final = 2.0
PREFIX: Final = "/v1/partners"
API: Final = Api(
    title="Citizen-Miles companies",
    words=(
        "Amounts are whole cents. A till names its sales and refunds by ids of its own: the same id with the same"
        " content is answered again and never done twice; with another content it is refused."
    ),
    key="cmt_<id>_<secret>",
)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Body = TypeVar("Body")


async def tell_one_purchase(request: web.Request) -> web.Response:
    """Tell a sale as it is made; answered once the accounts credited it, or as pending."""
    counter, till = request.app[COUNTER], await authorise(request)
    asked = read_body(await request.read(), PurchaseRequest)
    purchase = read_purchase(asked, till.require_number(), home=counter.home, zone=counter.zone)
    [told] = await _tell(counter, till, asked.campaign, asked.sent_at, [purchase])
    if isinstance(told, Refusal):
        raise told
    if told.refusal is not None:
        raise told.refusal
    status = 202 if told.is_pending else 200 if told.is_repeat else 201
    return answer(tell_purchase(asked.id, told, choose_language(request)), status)


async def tell_batch(request: web.Request) -> web.Response:
    """Tell sales of a till that was offline; a bad line harms no other."""
    counter, till = request.app[COUNTER], await authorise(request)
    number, language = till.require_number(), choose_language(request)
    asked = read_body(await request.read(), BatchLines)
    lines: list[PurchaseLine | None] = [None] * len(asked.items)
    purchases: dict[int, Purchase] = {}
    for place, item in enumerate(read_lines(asked.items, PurchaseItem)):
        try:
            if isinstance(item, tuple):
                raise item[1]
            purchases[place] = read_purchase(item, number, home=counter.home, zone=counter.zone)
        except Refusal as refusal:
            lines[place] = tell_purchase(item[0] if isinstance(item, tuple) else item.id, refusal, language)
    told = await _tell(counter, till, asked.campaign, asked.sent_at, list(purchases.values()))
    for (place, purchase), one in zip(purchases.items(), told, strict=True):
        lines[place] = tell_purchase(purchase.id, one, language)
    for line in lines:
        if line is not None and line.code:
            counter.note_refused(line.code)
    return answer(BatchAnswer([line for line in lines if line is not None]))


async def _tell(counter: Counter, till: Till, campaign: str, sent_at: str, purchases: list[Purchase]) -> list[Told]:
    asked = TellSales(
        till=till,
        campaign=parse_id(campaign),
        sent_at=parse_instant(sent_at, "sent_at"),
        purchases=tuple(purchases),
        grant_ids=tuple(counter.partners.new_id() for _ in purchases),
    )
    return await counter.partners.tell_sales(asked, wait_seconds=counter.wait_seconds)


async def show_purchase(request: web.Request) -> web.Response:
    """Show what became of a sale, by the till's own id."""
    counter, till = request.app[COUNTER], await authorise_in_force(request)
    till.require_number()
    id_ = require_purchase_id(request.query.get("purchase", ""))
    told = await counter.partners.find_sale(till, id_)
    if told is None:
        raise SaleUnknown(id=id_)
    return answer(tell_purchase(id_, told, choose_language(request)), 202 if told.is_pending else 200)


async def refund(request: web.Request) -> web.Response:
    """Tell that a sale, or a part of it, was refunded; answered once the accounts took back what they could."""
    counter, till = request.app[COUNTER], await authorise_in_force(request)
    till.require_number()
    asked = read_body(await request.read(), RefundRequest)
    told = await counter.partners.refund(
        AskRefund(
            till=till,
            purchase=require_purchase_id(asked.purchase),
            refund=asked.id,
            cents=Cents(asked.cents),
            take_back=counter.partners.new_id(),
        ),
        wait_seconds=counter.wait_seconds,
    )
    status = 202 if told.state is RefundState.ASKED else 200 if told.is_repeat else 201
    return answer(tell_refund(asked.purchase, told, choose_language(request)), status)


async def claim(request: web.Request) -> web.Response:
    """Credit a claim ticket to an account, once."""
    counter, _ = request.app[COUNTER], await authorise_in_force(request)
    return await _claim(counter, _read_claim(counter, await request.read()))


async def claim_as_citizen(request: web.Request) -> web.Response:
    """Credit one's own claim ticket to one's account, once. Who shows too many wrong tickets waits."""
    counter = request.app[COUNTER]
    asked = _read_claim(counter, await request.read())
    read_origin(asked.text)  # a slip of the hand is told before it counts as a guess
    caller = name_caller(request.remote or "", request.headers.getall("X-Forwarded-For", ()), counter.proxies)
    counter.guesses.take(caller, counter.partners.book.clock())
    is_guess = False
    try:
        return await _claim(counter, asked)
    except (TicketForged, TicketUnknown, TicketExpired, TicketVoid):
        is_guess = True
        raise TicketNotClaimable from None
    except PartnersRefusal:  # claimed by another, or an account that cannot have it: who guesses those is a guesser too
        is_guess = True
        raise
    finally:
        if not is_guess:
            counter.guesses.give_back(caller)


def _read_claim(counter: Counter, body: bytes) -> ClaimTicket:
    asked = read_body(body, ClaimRequest)
    return ClaimTicket(
        text=asked.ticket,
        holder=read_holder(asked.account, counter.home),
        day=counter.today(),
        grant_id=counter.partners.new_id(),
        id=None if asked.id is None else parse_id(asked.id),
    )


async def _claim(counter: Counter, asked: ClaimTicket) -> web.Response:
    told, state, code = await counter.partners.claim(asked, wait_seconds=counter.wait_seconds)
    if code:
        raise remake(code, {})
    line = tell_claim(told, state)
    return answer(line, 202 if line.status == "pending" else 200 if told.is_repeat else 201)


async def list_campaigns(request: web.Request) -> web.Response:
    """List the company's campaigns with their budgets."""
    counter, till = request.app[COUNTER], await authorise_in_force(request)
    read = counter.partners.book.read
    rows = await read(partial(list_company_campaigns, siren=till.siren))
    views = [await read(partial(load_campaign_view, uid=row.campaign.id)) for row in rows]
    return answer(CampaignsAnswer([tell_campaign(view) for view in views]))


async def show_campaign(request: web.Request) -> web.Response:
    """Show a campaign: what is left of its budget, what is waited for, what the fund expects."""
    counter, till = request.app[COUNTER], await authorise_in_force(request)
    uid = parse_id(request.match_info["campaign"])
    view = await counter.partners.book.read(partial(load_campaign_view, uid=uid))
    if view.row.campaign.company != till.siren:
        raise CampaignUnknown(campaign=format_id(uid))
    return answer(tell_campaign(view))


async def show_ceilings(request: web.Request) -> web.Response:
    """Show how the legal ceiling of gifts is used in each fiscal year, and what is carried on."""
    counter, office = request.app[COUNTER], await authorise_office(request)
    months_max = counter.partners.settings.months_max
    find = partial(load_ceiling_use, siren=office.siren, until=counter.today(), months_max=months_max)
    return answer(tell_years(await counter.partners.book.read(find)))


async def show_counterparts(request: web.Request) -> web.Response:
    """Show what the company received in return this fiscal year, against what it may."""
    counter, office = request.app[COUNTER], await authorise_office(request)
    months_max = counter.partners.settings.months_max
    find = partial(load_standing, siren=office.siren, on=counter.today(), months_max=months_max)
    return answer(tell_standing(await counter.partners.book.read(find)))


async def show_sheet(request: web.Request) -> web.Response:
    """Show what anybody may know of a company."""
    counter = request.app[COUNTER]
    siren = require_siren(request.match_info["siren"])
    find = partial(load_public_sheet, siren=siren, holders_min=counter.partners.settings.holders_min)
    return answer(tell_sheet(await counter.partners.book.read(find)))


async def show_description(_request: web.Request) -> web.Response:
    """Describe this API (OpenAPI 3.1)."""
    return answer(describe_api([route for route, _ in DOORS], API))


def _door(
    method: str,
    path: str,
    handler: Handler,
    *answers: type[Struct],
    scope: str = "",
    body: type[Struct] | None = None,
    query: str = "",
    creates: bool = False,
    waits: bool = False,
    limited: bool = False,
) -> tuple[Route, Handler]:
    route = Route(
        method=method,
        path=PREFIX + path,
        name=handler.__name__,
        summary=(handler.__doc__ or "").strip(),
        scope=scope,
        body=body,
        answers=answers,
        query=tuple(query.split()),
        creates=creates,
        waits=waits,
        limited=limited,
    )
    return route, handler


_TILL: Final = "a till"
_COMPANY: Final = "a till or the office"
_OFFICE: Final = "the company's office"

DOORS: Final = (
    _door(
        "POST",
        "/purchases",
        tell_one_purchase,
        PurchaseLine,
        scope=_TILL,
        body=PurchaseRequest,
        creates=True,
        waits=True,
    ),
    _door("GET", "/purchases", show_purchase, PurchaseLine, scope=_TILL, query="purchase", waits=True),
    _door("POST", "/batches", tell_batch, BatchAnswer, scope=_TILL, body=BatchRequest),
    _door("POST", "/refunds", refund, RefundLine, scope=_TILL, body=RefundRequest, creates=True, waits=True),
    _door("POST", "/claims", claim, ClaimLine, scope=_COMPANY, body=ClaimRequest, creates=True, waits=True),
    _door(
        "POST",
        "/citizen-claims",
        claim_as_citizen,
        ClaimLine,
        body=ClaimRequest,
        creates=True,
        waits=True,
        limited=True,
    ),
    _door("GET", "/campaigns", list_campaigns, CampaignsAnswer, scope=_COMPANY),
    _door("GET", "/campaigns/{campaign}", show_campaign, CampaignAnswer, scope=_COMPANY),
    _door("POST", "/coupons", issue_coupon, CouponLine, scope=_OFFICE, body=CouponRequest, creates=True),
    _door("GET", "/coupons", list_coupons, CouponsAnswer, scope=_COMPANY, query="after limit"),
    _door("GET", "/coupons/{coupon}", show_coupon, CouponLine, scope=_COMPANY),
    _door("POST", "/coupons/{coupon}/use", use_coupon, CouponLine, scope=_TILL, body=CouponUseRequest),
    _door("POST", "/coupons/{coupon}/withdraw", withdraw_coupon, CouponLine, scope=_OFFICE),
    _door("GET", "/ceilings", show_ceilings, CeilingsAnswer, scope=_OFFICE),
    _door("GET", "/counterparts", show_counterparts, StandingAnswer, scope=_OFFICE),
    _door("GET", "/companies/{siren}", show_sheet, SheetAnswer),
    _door("GET", "/openapi.json", show_description),
)


def add_tills_doors(
    application: web.Application,
    partners: Partners,
    metrics: Metrics,
    *,
    wait_seconds: float = WAIT_SECONDS,
    proxies: frozenset[str] = frozenset(),
) -> None:
    """Serve the doors of the companies base in an application, beside what it serves already."""

    def note_refused(code: str) -> None:
        metrics.refusals[code] = metrics.refusals.get(code, 0) + 1

    application[COUNTER] = Counter(partners, note_refused=note_refused, wait_seconds=wait_seconds, proxies=proxies)
    for route, handler in DOORS:
        application.router.add_route(route.method, route.path, handler)


def make_tills_api(
    partners: Partners, *, probe: Probe, metrics: Metrics, wait_seconds: float = WAIT_SECONDS
) -> web.Application:
    """Return an application of the companies base alone."""
    application = make_application(body_bytes_max=BODY_BYTES_MAX, probe=probe, metrics=metrics)
    add_tills_doors(application, partners, metrics, wait_seconds=wait_seconds)
    return application
