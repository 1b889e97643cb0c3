"""What the fund shows the world: whether a receipt is one of its own."""

from __future__ import annotations

from aiohttp import web

from node.desks.fund.admin_commands import FUND_COMMANDS
from node.desks.fund.steps import FUND_STEPS
from node.doors.steps_api import Doors
from node.fund.fund_errors import FundUnknown
from node.fund.receipt_errors import InvalidReceiptNumber, InvalidReceiptProof
from node.fund.receipt_numbers import parse_number
from node.fund.receipt_proof import ReceiptProof, is_proven
from node.fund.receipt_service import load_issued
from node.fund_app import FundApp


def add_fund_doors(application: web.Application, app: FundApp) -> None:
    """Add the doors of a fund. What stands in a receipt is its donor's business: who asks must show its check."""

    async def verify(request: web.Request) -> web.Response:
        number, check = request.match_info["number"], request.match_info["check"]
        try:
            proof = ReceiptProof(node=app.settings.public_url, number=parse_number(number), check=check)
        except (InvalidReceiptNumber, InvalidReceiptProof):
            raise FundUnknown(path="receipt") from None
        issued = await app.book.read(lambda connection: load_issued(connection, number))
        if not is_proven(proof, issued.receipt.number, issued.digest):
            raise FundUnknown(path="receipt")
        return web.json_response(
            {
                "number": number,
                "issuer": issued.receipt.issuer.name,
                "cents": issued.receipt.cents,
                "issued_on": issued.receipt.issued_on.isoformat(),
                "state": str(issued.state),
            }
        )

    application.router.add_get("/receipts/{number}/{check}", verify)


def open_fund_doors(app: FundApp) -> Doors:
    """Return the doors of the fund's steps, for whoever shows a key."""
    return Doors(
        app,
        FUND_COMMANDS,
        FUND_STEPS,
        folder=app.folder,
        clock=app.book.clock,
        authorise=app.keys.authorise,
    )
