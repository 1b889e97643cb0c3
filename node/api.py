"""A node's HTTP API for programs: tills, portals, scripts. JSON in, JSON out, whole cents, the caller's own ids.

Every door stands in one table: what is served is what is described.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web
from msgspec import Struct

from node.access.service import Scope
from node.app import NodeApp
from node.desks.accounts import (
    accounts_api,
    catalogue_api,
    federation_api,
    groups_api,
    movements_api,
    orientation_api,
    solidarity_api,
)
from node.desks.accounts.answers import (
    AccountAnswer,
    ArrivalsAnswer,
    BalanceAnswer,
    CessionAnswer,
    CessionsAnswer,
    CessionsDoneAnswer,
    CreditAnswer,
    DirectoryAnswer,
    HistoryAnswer,
    NameAnswer,
    OpenedAnswer,
    OperationAnswer,
    PastBalanceAnswer,
    PayeeAnswer,
    ReleaseAnswer,
    ReservationAnswer,
    ReversalAnswer,
    StateAnswer,
    StatementAnswer,
    TotalsAnswer,
)
from node.desks.accounts.calls_api import NODE, answer
from node.desks.accounts.catalogue_answers import CatalogueAnswer, ListedAnswer, TerritoriesAnswer
from node.desks.accounts.groups_answers import ActAnswer, ConsentAnswer, GroupAnswer, GroupMadeAnswer, GroupMemberAnswer
from node.desks.accounts.groups_requests import ActRequest, ConsentRequest, GroupRequest, MandateRequest, MemberRequest
from node.desks.accounts.orientation_answers import (
    OrientationAnswer,
    OrientationReturnAnswer,
    OrientationsAnswer,
    ProjectsAnswer,
    StandingAnswer,
    StandingsAnswer,
)
from node.desks.accounts.orientation_requests import OrientationRequest, OrientationReturnRequest, StandingRequest
from node.desks.accounts.requests import (
    CessionRequest,
    CreditRequest,
    NameRequest,
    OpenRequest,
    ReservationRequest,
    ReversalRequest,
    StateRequest,
)
from node.desks.accounts.solidarity_answers import (
    CountAnswer,
    CountsAnswer,
    EnrolledAnswer,
    GiftAnswer,
    GiftReturnAnswer,
    OperationDoneAnswer,
    PoolDoneAnswer,
    PoolsAnswer,
    ReceiversAnswer,
)
from node.desks.accounts.solidarity_requests import (
    EnrolRequest,
    GiftReturnRequest,
    GiversRequest,
    OperationRequest,
    OrderRequest,
    PoolRequest,
)
from protocol.running.http_service import make_application
from protocol.running.openapi import Route, describe_api

BODY_BYTES_MAX: Final = 2 * 1024 * 1024
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def show_description(_request: web.Request) -> web.Response:
    """Describe this API (OpenAPI 3.1)."""
    return answer(describe_api([route for route, _ in DOORS]))


def _door(
    method: str,
    path: str,
    handler: Handler,
    *answers: type[Struct],
    scope: str = "",
    body: type[Struct] | None = None,
    query: str = "",
    creates: bool = False,
) -> tuple[Route, Handler]:
    route = Route(
        method=method,
        path=path,
        name=handler.__name__,
        summary=(handler.__doc__ or "").strip(),
        scope=scope,
        body=body,
        answers=answers,
        query=tuple(query.split()),
        creates=creates,
    )
    return route, handler


_ACCOUNTS: Final = "/v1/accounts"
_ACCOUNT: Final = "/v1/accounts/{account}"
_of = accounts_api
_at = movements_api
_to = federation_api
_on = orientation_api
_in = solidarity_api
_POOLS: Final = "/v1/solidarity/pools"
_OPERATIONS: Final = "/v1/solidarity/operations"
_GIFT: Final = "/v1/solidarity/gifts/{id}"
_out = catalogue_api
_by = groups_api
_GROUP: Final = "/v1/groups/{account}"

DOORS: Final = (
    _door("POST", _ACCOUNTS, _of.open_account, OpenedAnswer, scope=Scope.ACCOUNTS, body=OpenRequest, creates=True),
    _door("GET", _ACCOUNT, _of.show_account, AccountAnswer, scope=Scope.READ),
    _door("POST", f"{_ACCOUNT}/state", _of.change_state, StateAnswer, scope=Scope.ACCOUNTS, body=StateRequest),
    _door("PUT", f"{_ACCOUNT}/shown-name", _of.show_name, NameAnswer, scope=Scope.ACCOUNTS, body=NameRequest),
    _door(
        "GET", f"{_ACCOUNT}/balance", _of.show_balance, BalanceAnswer, PastBalanceAnswer, scope=Scope.READ, query="at"
    ),
    _door("GET", f"{_ACCOUNT}/history", _of.show_history, HistoryAnswer, scope=Scope.READ, query="order cursor limit"),
    _door("GET", f"{_ACCOUNT}/statement", _of.show_statement, StatementAnswer, scope=Scope.READ, query="from to"),
    _door("POST", "/v1/credits", _at.credit, CreditAnswer, scope=Scope.CREDIT, body=CreditRequest),
    _door("POST", "/v1/reversals", _at.reverse, ReversalAnswer, scope=Scope.CREDIT, body=ReversalRequest),
    _door(
        "POST",
        "/v1/reservations",
        _at.reserve,
        ReservationAnswer,
        scope=Scope.CEDE,
        body=ReservationRequest,
        creates=True,
    ),
    _door("DELETE", "/v1/reservations/{id}", _at.release, ReleaseAnswer, scope=Scope.CEDE),
    _door("GET", "/v1/operations/{id}", _at.show_operation, OperationAnswer, scope=Scope.READ),
    _door("GET", "/v1/totals", _at.show_totals, TotalsAnswer, scope=Scope.READ),
    _door("POST", "/v1/cessions", _to.cede, CessionsDoneAnswer, scope=Scope.CEDE, body=CessionRequest),
    _door("GET", "/v1/cessions", _to.list_cessions, CessionsAnswer, scope=Scope.READ, query="account cursor limit"),
    _door("GET", "/v1/cessions/{id}", _to.show_cession, CessionAnswer, scope=Scope.READ),
    _door("POST", "/v1/cessions/{id}/recall", _to.recall, CessionAnswer, scope=Scope.CEDE),
    _door("POST", "/v1/arrivals/{id}/return", _to.give_back, CessionAnswer, scope=Scope.CEDE),
    _door("GET", "/v1/arrivals", _to.list_arrivals, ArrivalsAnswer, scope=Scope.READ, query="account cursor limit"),
    _door(
        "POST",
        "/v1/orientations",
        _on.orient,
        OrientationAnswer,
        scope=Scope.CEDE,
        body=OrientationRequest,
        creates=True,
    ),
    _door(
        "GET",
        "/v1/orientations",
        _on.list_orientations,
        OrientationsAnswer,
        scope=Scope.READ,
        query="account cursor limit",
    ),
    _door(
        "POST",
        "/v1/orientations/{id}/return",
        _on.take_back_orientation,
        OrientationReturnAnswer,
        scope=Scope.CEDE,
        body=OrientationReturnRequest,
        creates=True,
    ),
    _door(
        "POST",
        "/v1/standing-orders",
        _on.order_standing,
        StandingAnswer,
        scope=Scope.CEDE,
        body=StandingRequest,
        creates=True,
    ),
    _door("GET", "/v1/standing-orders", _on.list_standing, StandingsAnswer, scope=Scope.READ, query="account"),
    _door("DELETE", "/v1/standing-orders/{id}", _on.stop_standing, StandingAnswer, scope=Scope.CEDE),
    _door("GET", "/v1/support", _on.list_support, ProjectsAnswer, scope=Scope.READ),
    _door("GET", _OPERATIONS, _in.list_solidarity, CountsAnswer),
    _door("GET", f"{_OPERATIONS}/{{id}}", _in.show_solidarity, CountAnswer),
    _door(
        "POST",
        _OPERATIONS,
        _in.open_solidarity,
        OperationDoneAnswer,
        scope=Scope.ADMIN,
        body=OperationRequest,
        creates=True,
    ),
    _door(
        "POST",
        f"{_OPERATIONS}/{{id}}/decisions",
        _in.decide_solidarity,
        OperationDoneAnswer,
        scope=Scope.ADMIN,
        body=OrderRequest,
        creates=True,
    ),
    _door("POST", _POOLS, _in.open_pool, PoolDoneAnswer, scope=Scope.ADMIN, body=PoolRequest, creates=True),
    _door("GET", _POOLS, _in.list_pools, PoolsAnswer, scope=Scope.ACCOUNTS),
    _door(
        "POST",
        f"{_POOLS}/{{id}}/givers",
        _in.change_givers,
        PoolDoneAnswer,
        scope=Scope.ADMIN,
        body=GiversRequest,
        creates=True,
    ),
    _door(
        "POST",
        f"{_POOLS}/{{id}}/receivers",
        _in.enrol_receivers,
        EnrolledAnswer,
        scope=Scope.ACCOUNTS,
        body=EnrolRequest,
        creates=True,
    ),
    _door(
        "GET",
        f"{_POOLS}/{{id}}/receivers",
        _in.show_receivers,
        ReceiversAnswer,
        scope=Scope.ACCOUNTS,
        query="after limit",
    ),
    _door("GET", _GIFT, _in.show_gift, GiftAnswer, scope=Scope.READ),
    _door(
        "POST",
        f"{_GIFT}/return",
        _in.take_gift_back,
        GiftReturnAnswer,
        scope=Scope.CEDE,
        body=GiftReturnRequest,
        creates=True,
    ),
    _door("POST", "/v1/groups", _by.declare_group, GroupMadeAnswer, scope=Scope.ACCOUNTS, body=GroupRequest),
    _door("GET", _GROUP, _by.show_group, GroupAnswer, scope=Scope.READ),
    _door("POST", f"{_GROUP}/members", _by.join_group, GroupMemberAnswer, scope=Scope.ACCOUNTS, body=MemberRequest),
    _door("DELETE", f"{_GROUP}/members/{{member}}", _by.leave_group, GroupMemberAnswer, scope=Scope.ACCOUNTS),
    _door("POST", f"{_GROUP}/consents", _by.consent, ConsentAnswer, scope=Scope.CEDE, body=ConsentRequest),
    _door("POST", f"{_GROUP}/mandates", _by.give_mandate, ConsentAnswer, scope=Scope.ACCOUNTS, body=MandateRequest),
    _door("DELETE", f"{_GROUP}/consents/{{id}}", _by.withdraw_consent, ConsentAnswer, scope=Scope.CEDE),
    _door("POST", "/v1/acts", _by.act_for_group, ActAnswer, scope=Scope.CEDE, body=ActRequest, creates=True),
    _door("GET", "/v1/payee", _to.show_payee, PayeeAnswer, scope=Scope.CEDE, query="address"),
    _door("GET", "/v1/directory", _to.show_directory, DirectoryAnswer, scope=Scope.READ),
    _door(
        "GET",
        "/v1/catalogue",
        _out.list_catalogue,
        CatalogueAnswer,
        query="text theme territory urgency near within cursor limit",
    ),
    _door("GET", "/v1/catalogue/territories", _out.list_territories, TerritoriesAnswer),
    _door("GET", "/v1/catalogue/{address}", _out.show_listed, ListedAnswer),
    _door("GET", "/v1/openapi.json", show_description),
)


def make_api(app: NodeApp) -> web.Application:
    """Return the application of a node that keeps accounts only."""
    application = make_application(body_bytes_max=BODY_BYTES_MAX, probe=app.probe, metrics=app.metrics)
    add_node_doors(application, app)
    return application


def add_node_doors(application: web.Application, app: NodeApp) -> None:
    """Add the doors of the accounts."""
    application[NODE] = app
    for route, handler in DOORS:
        application.router.add_route(route.method, route.path, handler)
