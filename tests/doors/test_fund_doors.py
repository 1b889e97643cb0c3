"""Every step of a fund by its door: a company and a person pay, two officers sign, receipts and books come out."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from node.desks.fund.steps import FUND_STEPS
from node.desks.fund.words import read_iban_words, read_netting_words, read_pledge_words, read_words
from node.fund.outgoing_payments import write_words
from node.house.cards import Card, format_card
from protocol.house import BaseName, NettingTold
from protocol.keys import Domain, SecretKeys, make_keys, sign
from tests.doors.place import ADDRESS, DoorsPlace, make_fund_place, new_id
from tests.fund.camt_files import Entry
from tests.fund.dues_world import ask_pledge, fund_lot, make_due, owe
from tests.fund.fund_world import BEARER_IBAN, FundWorld
from tests.fund.test_cards import FIRST, IBANS, QUIMPER, account, decider
from tests.fund.test_netting import hear, make_window, owe_quimper

CSV = b"Date;Montant;Libelle\n24/11/2026;12,00;?\n"
REPORT = """<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt><GrpHdr><MsgId>R</MsgId>
<CreDtTm>2026-11-25T10:00:00</CreDtTm></GrpHdr><OrgnlGrpInfAndSts><OrgnlMsgId>{order}</OrgnlMsgId>
<OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId><GrpSts>RJCT</GrpSts><StsRsnInf><Rsn><Cd>AM04</Cd></Rsn></StsRsnInf>
</OrgnlGrpInfAndSts></CstmrPmtStsRpt></Document>"""


class Treasury:
    """A fund with keys for each duty, and two officers whose keys are nowhere in it."""

    def __init__(self, world: FundWorld, place: DoorsPlace) -> None:
        self.world = world
        self.place = place
        self.officers: dict[str, SecretKeys] = {}
        self.treasurer = self.officer = self.accountant = self.reader = ""

    async def open(self) -> None:
        await self.place.open()
        self.treasurer = await self.place.key("treasurer", officer="anne")
        self.officer = await self.place.key("officer")
        self.accountant = await self.place.key("accountant")
        self.reader = await self.place.key("reader")
        for name in ("anne", "bob"):
            secret = self.officers[name] = make_keys(self.world.entropy(64))
            public = secret.public
            await self.place.ask("officer_add", key=public.id.hex(), name=name, signing=public.signing.hex())

    async def company(self) -> str:
        told = await self.place.do(
            self.treasurer,
            "company-add",
            {
                "id": new_id(),
                "siren": "732829320",
                "name": "La Brasserie",
                "legal_form": "SAS",
                "year_end": "12-31",
                **ADDRESS,
            },
        )
        return str(told["id"])

    async def person(self) -> str:
        person = {"id": new_id(), "name": "Kerros", "first_name": "Soazig", **ADDRESS}
        return str((await self.place.do(self.treasurer, "donor-add", person))["id"])

    async def bearer(self) -> str:
        told = await self.place.do(
            self.treasurer,
            "bearer-add",
            {
                "id": new_id(),
                "name": "Les Jardins",
                "registry": "W291234567",
                "category": "intérêt général",
                "proof": "rescrit du 12/03/2026",
                "proven_until": "2027-12-31",
                "holder": "LES JARDINS",
                "iban": BEARER_IBAN,
            },
        )
        return str(told["id"])

    async def expect(self, donor: str, cents: int, due: str = "2026-12-31") -> Any:
        return await self.place.do(
            self.treasurer,
            "expect",
            {"id": new_id(), "donor": donor, "campaign": "bread", "pool": self.world.pool, "due": due, "cents": cents},
        )

    async def sign(self, door: str, words: Any, read: Any = read_words) -> Any:
        """Let both officers sign what they made of the words by themselves; return the last answer."""
        told = None
        for secret in self.officers.values():
            data = write_words(read(words))
            assert data.hex() == words["to_sign"]
            signed = {
                "words": words,
                "officer": secret.public.id.hex(),
                "signature": sign(secret, Domain.OFFICER, data).hex(),
            }
            told = await self.place.do(self.officer, door, signed)
            if door != "iban-sign":  # there the same person again is refused: a second one is wanted
                assert await self.place.do(self.officer, door, signed) == told, "the same again is answered again"
        return told

    async def take(self, *entries: Entry) -> Any:
        data = self.world.statement(*entries).write()
        return await self.place.do(self.treasurer, "statement", data=data)


@pytest.fixture
async def treasury(tmp_path: Path) -> AsyncIterator[Treasury]:
    world = FundWorld(lambda name: f"sqlite:///{tmp_path / name}.db")
    made = Treasury(world, make_fund_place(world, tmp_path))
    await made.open()
    yield made
    await made.place.close()
    wrongs = world.find_wrongs()
    world.close()
    assert wrongs == []


async def test_every_step_of_a_fund_is_taken_by_its_door(treasury: Treasury) -> None:
    place, world = treasury.place, treasury.world
    await _take_in(treasury)
    await _pay_out(treasury)
    await _net_with_another_fund(treasury)
    await _owe_and_pledge(treasury)
    await _close_the_year(treasury)
    assert {step.command for step in FUND_STEPS.steps} - place.reached == set()
    assert world.issued() >= 10_000


async def _take_in(treasury: Treasury) -> None:
    place, world, treasurer, reader = treasury.place, treasury.world, treasury.treasurer, treasury.reader
    company, person = await treasury.company(), await treasury.person()
    first, late = await treasury.expect(company, 10_000), await treasury.expect(company, 700, "2026-08-01")
    closed = await treasury.expect(company, 50)
    gift = await place.do(
        treasurer, "expect-gift", {"id": new_id(), "donor": person, "due": "2026-12-31", "cents": 4_000}
    )
    rows = (await place.do(reader, "donors"))["rows"]
    assert {row["id"] for row in rows} == {company, person}
    assert (await place.do(reader, "donor-effects", {"donor": company}))["projects"] == []
    told = await place.call(reader, "payment-qr", {"id": first["id"]}, accept="image/svg+xml")
    assert told.body.startswith(b"<")
    assert told.headers["Content-Type"] == "image/svg+xml"
    assert await place.do(reader, "payment-qr", {"id": first["id"]}) == {
        "reference": first["reference"],
        "cents": 10_000,
    }
    assert len((await place.do(reader, "overdue", {"due_only": True}))["rows"]) == 1
    reminder = await place.do(treasurer, "remind", {"id": late["id"]})
    assert reminder["reminder"] == 1
    assert "7" in reminder["letter"]
    assert await place.do(treasurer, "remind", {"id": late["id"]}) == reminder
    await place.do(treasurer, "expectation-close", {"id": closed["id"], "reason": "wound up"})
    assert len((await place.do(reader, "expected", {"open_only": True}))["rows"]) == 3
    taken = await treasury.take(
        world.paid(10_000, reference=first["reference"]),
        world.paid(4_000, reference=gift["reference"]),
        Entry(cents=-12, bank_reference="FEE"),
    )
    assert taken["deposited_cents"] == 14_000
    await world.settle()
    queue = (await place.do(reader, "movements", {"waiting_only": True}))["rows"]
    decision = {"id": new_id(), "movement": queue[0]["movement"], "by": "anne", "reason": "fee", "is_fee": True}
    await place.do(treasurer, "decide", decision)
    await place.do(treasurer, "decide", decision)
    assert await place.refusal(treasurer, "decide", decision | {"by": "bob"}) == (403, "another_officer")
    assert await place.refusal(treasurer, "decide", decision | {"reason": "none"}) == (409, "id_mismatch")
    csv = {
        "data": base64.b64encode(CSV).decode(),
        "mapping": {"booked_on": "Date", "amount": "Montant", "text": "Libelle"},
        "statement_id": "CSV-1",
        "opening": world.balance,
        "opening_on": "2026-11-24",
        "closing": world.balance + 1_200,
        "closing_on": "2026-11-24",
    }
    told = await place.do(treasurer, "statement-csv", csv)
    assert len(told["waiting"]) == 1
    world.balance += 1_200
    states = [row["state"] for row in (await place.do(reader, "deposits"))["rows"]]
    assert "issued" in states
    assert (await place.do(reader, "totals"))["deposits_cents"] == 14_000
    mandate = await place.do(
        treasurer,
        "mandate-add",
        {
            "id": new_id(),
            "donor": person,
            "holder": "Soazig Kerros",
            "iban": BEARER_IBAN,
            "signed_on": "2026-10-03",
            "shares": [["Jardins", 500], ["Voile", 250]],
        },
    )
    assert (await place.do(reader, "mandates"))["rows"] == [mandate]
    order = await place.call(treasurer, "collect", {}, accept="application/xml")
    assert order.status == 200 or order.json["code"] == "nothing_to_collect", order.body
    world.later(8)
    order = await place.call(treasurer, "collect", {}, accept="application/xml")
    assert b"pain.008" in order.body
    assert "attachment" in order.headers["Content-Disposition"]
    assert await place.do(treasurer, "collect", {})
    assert (await place.do(reader, "gift-debits"))["rows"][0]["shares"] == {"Jardins": 500, "Voile": 250}
    assert len((await place.do(reader, "collections"))["rows"]) == 1
    await place.do(treasurer, "mandate-change", {"mandate": mandate["umr"], "state": "paused"})
    issued = {"id": new_id(), "donor": person, "from": "2026-01-01", "to": "2026-12-31"}
    receipt = await place.do(treasurer, "receipt-issue", issued)
    paper = await place.call(treasurer, "receipt-issue", issued, accept="application/pdf")
    assert paper.body.startswith(b"%PDF-")
    assert receipt["number"] in paper.headers["Content-Disposition"]
    assert len((await place.do(reader, "receipts"))["rows"]) == 1, "one number, however often it is asked"
    copy = await place.do(treasurer, "receipt-copy", {"id": new_id(), "number": receipt["number"]})
    assert copy["duplicates"] == 1
    await place.do(
        treasurer, "receipt-cancel", {"id": new_id(), "number": receipt["number"], "reason": "adresse fausse"}
    )
    assert (await place.do(reader, "receipt-show", {"number": receipt["number"]}))["state"] == "cancelled"


async def _pay_out(treasury: Treasury) -> None:
    place, world, treasurer, officer = treasury.place, treasury.world, treasury.treasurer, treasury.officer
    bearer = await treasury.bearer()
    assert len((await place.do(treasury.reader, "bearers"))["rows"]) == 1
    asked = {"id": new_id(), "bearer": bearer, "cents": 2_500, "text": "Jardins", "decision": "comité du 20/11"}
    words = await place.do(treasurer, "payment-words", asked)
    forged = words | {"cents": 9_999}
    first = treasury.officers["anne"]
    signature = sign(first, Domain.OFFICER, bytes.fromhex(words["to_sign"])).hex()
    lie = {"words": forged, "officer": first.public.id.hex(), "signature": signature}
    assert (await place.refusal(officer, "payment-sign", lie))[0] == 422, "a signature is of its words alone"
    assert (await treasury.sign("payment-sign", words))["state"] == "signed"
    assert await place.do(officer, "payment-words", {"id": asked["id"]}) == words, "who signs second asks by the id"
    other = await place.do(treasurer, "payment-words", asked | {"id": new_id(), "cents": 10})
    await treasury.sign("payment-sign", other)
    assert (await place.do(treasurer, "payment-cancel", {"id": other["id"]}))["state"] == "cancelled"
    over = await treasury.expect((await place.do(treasurer, "donors"))["rows"][0]["id"], 100)
    told = await treasury.take(world.paid(150, reference=over["reference"]))
    refund_words = await place.do(
        officer, "refund-words", {"id": new_id(), "movement": told["waiting"][0], "cents": 50, "decision": "trop-perçu"}
    )
    await treasury.sign("payment-sign", refund_words)
    order = await place.call(treasurer, "order", {}, accept="application/xml")
    assert b"pain.001.001.09" in order.body
    made = await place.do(treasurer, "order", {})
    assert made["payments"] == 2
    assert len((await place.do(treasurer, "orders"))["rows"]) == 1
    rejected = await place.do(treasurer, "report", data=REPORT.format(order=made["order"]).encode())
    assert rejected == {"order": made["order"], "rejected": 2}
    change = await place.do(
        treasurer, "iban-words", {"id": new_id(), "bearer": bearer, "holder": "L", "iban": "DE75512108001245126199"}
    )
    assert "hours" in (await treasury.sign("iban-sign", change, read_iban_words))["waits_for"]
    assert {row["state"] for row in (await place.do(treasurer, "payments"))["rows"]} == {"rejected", "cancelled"}


async def _net_with_another_fund(treasury: Treasury) -> None:
    place, world, treasurer = treasury.place, treasury.world, treasury.treasurer
    await hear(world, decider(1, FIRST), account(1, IBANS[1]), NettingTold(QUIMPER, True, 20261126))
    asked = {"id": new_id(), "territory": QUIMPER, "is_netted": True}
    words = await place.do(treasurer, "netting-words", asked)
    told = await treasury.sign("netting-sign", words, read_netting_words)
    assert told["state"] == "said"
    assert (await place.do(treasury.reader, "netting-agreements"))["rows"][0]["holds"]
    due = await owe_quimper(world, 900)
    assert await place.do(treasurer, "net-dues") == {"netted": 1}
    assert await place.do(treasurer, "net-dues") == {"netted": 0}
    await world.settle()
    await hear(world, make_window(3, {due: 900}, {}))
    [window] = (await place.do(treasury.reader, "fund-windows"))["rows"]
    assert (window["window"], window["we_pay_cents"]) == (3, 900)
    assert await place.do(treasurer, "retake-window", {"id": new_id(), "window": 3}) == {"window": 3, "state": "taken"}
    [payment] = (await place.do(treasury.reader, "net-payments"))["rows"]
    words = await place.do(treasury.officer, "net-words", {"id": payment["payment"]})
    assert (await treasury.sign("payment-sign", words))["state"] == "signed"


async def _owe_and_pledge(treasury: Treasury) -> None:
    place, world, treasurer, officer = treasury.place, treasury.world, treasury.treasurer, treasury.officer
    lot = await fund_lot(world, 900)
    await owe(world, make_due(world, (lot, 500)))
    assert len((await place.do(treasurer, "dues", {"open_only": True}))["rows"]) == 1
    [proposal] = (await place.do(treasurer, "due-proposals"))["rows"]
    words = await place.do(officer, "due-words", {"id": proposal["id"]})
    assert (await treasury.sign("payment-sign", words))["state"] == "signed"
    pledge = await ask_pledge(world, 5_000)
    words = await place.do(officer, "pledge-words", {"id": pledge.id.hex(), "letter": "ab" * 32})
    assert (await treasury.sign("pledge-sign", words, read_pledge_words))["state"] == "accepted"
    await world.settle()
    refused = await ask_pledge(world, 700, campaign="called brioche")
    no = {"id": refused.id.hex(), "reason": "no letter"}
    assert (await place.do(officer, "pledge-decline", no))["state"] == "refused"
    assert len((await place.do(treasurer, "pledges"))["rows"]) == 2
    lots = [row["lot"] for row in (await place.do(treasurer, "deposits"))["rows"] if row["lot"]]
    assert lots
    assert await place.do(treasurer, "call") == {"calls": 0, "cents": 0}
    assert (await place.do(treasurer, "calls"))["rows"] == []
    assert (await place.do(treasurer, "card-own"))["told_now"]
    assert len((await place.do(treasurer, "cards"))["rows"]) == 1
    there = make_keys(world.entropy(64)).public
    card = Card("242900660", BaseName.PROJECTS, there.signing, there.sealing)
    await place.ask("decider_add", card=format_card(card))
    [decider] = (await place.do(treasurer, "deciders"))["rows"]
    ended = await place.do(officer, "decider-revoke", {"territory": "242900660", "key": decider["key"]})
    assert ended["revoked"] == 1
    [anne, _] = (await place.do(treasurer, "officers"))["rows"]
    await place.do(officer, "officer-revoke", {"id": new_id(), "key": anne["key"]})
    assert (await place.do(treasurer, "officers"))["rows"][0]["revoked"]


async def _close_the_year(treasury: Treasury) -> None:
    place, accountant = treasury.place, treasury.accountant
    year = {"year": 2026}
    for name in ("declare", "declare-prefect", "balance", "uses"):
        assert await place.do(accountant, name, year)
    told = await place.call(accountant, "fec", year, accept="text/plain")
    assert told.headers["Content-Type"] == "text/plain; charset=iso-8859-15"
    assert told.body.startswith(b"JournalCode")
    assert (await place.do(accountant, "fec", year))["faults"] == []
    company = next(row for row in (await place.do(accountant, "donors"))["rows"] if row["kind"] == "company")
    sheet = {"donor": company["siren"], **year}
    assert (await place.do(accountant, "declare-company", sheet))["cents"] > 0
    assert (await place.call(accountant, "declare-company", sheet, accept="text/csv")).body
    assert (await place.call(accountant, "receipts-register", accept="text/csv")).body
    await place.do(accountant, "receipts-register")
    treasury.world.later(60)
    await place.do(accountant, "year-close", year)
    assert (await place.do(accountant, "year-close", year))["entries"] == 0, "once"
    await place.do(accountant, "year-open", {"year": 2027})


@pytest.mark.parametrize("step", FUND_STEPS.steps, ids=lambda one: one.called)
def test_a_step_that_changes_something_is_nobody_s_who_only_reads(step: Any) -> None:
    assert step.reads or "reader" not in step.duties


async def test_no_door_opens_to_another_duty(treasury: Treasury) -> None:
    place = treasury.place
    keys = {
        "treasurer": treasury.treasurer,
        "officer": treasury.officer,
        "accountant": treasury.accountant,
        "reader": treasury.reader,
    }
    for step in FUND_STEPS.steps:
        assert await place.refusal("", step.called, data=b"") == (401, "key_not_known")
        for duty, key in keys.items():
            if duty not in step.duties:
                assert await place.refusal(key, step.called, data=b"") == (403, "duty_missing"), (step.called, duty)
