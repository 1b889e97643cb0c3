"""What a treasurer and a company's office do while processes are killed: payments, receipts, files of operations.

Whoever gets no answer asks again under the same id: a payment is signed by two, an order is of one day, a receipt and a
file have ids of their own.
"""

from __future__ import annotations

import asyncio
import datetime
import random
import re
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from protocol.errors import Refusal
from protocol.keys import Domain, SecretKeys, make_keys, sign

if TYPE_CHECKING:
    from tests.killing.house import House

BETWEEN_SECONDS: Final = (0.1, 0.6)
ROWS: Final = (5, 60)
ROW_CENTS: Final = 7
HOLDER: Final = "LES JARDINS"
BEARER_IBAN: Final = "FR7610107001011234567890129"


@dataclass
class Office:
    """What was asked of the treasurer's and the company's desks, and what came of it."""

    officers: list[SecretKeys] = field(default_factory=list)
    bearer: str = ""
    payments: dict[str, int] = field(default_factory=dict)  # id in hex -> cents; no two of them the same
    leaving: dict[str, int] = field(default_factory=dict)  # end-to-end id -> cents: ordered, and not yet in a statement
    booked: dict[str, int] = field(default_factory=dict)
    orders: int = 0
    files: dict[str, int] = field(default_factory=dict)  # id of a run -> its rows
    given: dict[str, int] = field(default_factory=dict)  # account -> cents of files that were booked
    receipts: int = 0


async def open_office(house: House) -> None:
    """Two officers, and somebody who may be paid."""
    office = house.office
    for name in ("anne", "bob"):
        secret = make_keys(house.dice.randbytes(64))
        public = secret.public
        await house.command(
            house.fund, "fund", "officer_add", key=public.id.hex(), name=name, signing=public.signing.hex()
        )
        office.officers.append(secret)
    made = await house.command(
        *(house.fund, "fund", "bearer_add"),
        **{"id": str(uuid.uuid4()), "name": "Les Jardins", "registry": "W293456789", "category": "association"},
        **{"proof": "statuts", "proven_until": "2099-12-31", "holder": HOLDER, "iban": BEARER_IBAN},
    )
    office.bearer = made["id"]


async def pay_on(house: House, dice: random.Random, stop: asyncio.Event) -> None:
    """Sign payments by two, order them, and let the next statements book them."""
    while not stop.is_set():
        for _ in range(dice.randint(1, 3)):
            await _pay(house)
        await _order(house)
        await asyncio.sleep(dice.uniform(*BETWEEN_SECONDS))


async def _pay(house: House) -> None:
    office = house.office
    id_, cents = uuid.uuid4(), 11 + len(office.payments)
    words = await house.command(
        *(house.fund, "fund", "payment_words"),
        **{"id": str(id_), "bearer": office.bearer, "cents": cents, "text": "Jardins", "decision": "comité"},
    )
    states = [(await _sign(house, secret, words))["state"] for secret in office.officers]
    office.payments[id_.hex] = cents
    if states != ["asked", "signed"]:
        house.oracle.wrong(f"payment {id_.hex} stands {states} after two signatures")


async def _sign(house: House, secret: SecretKeys, words: dict[str, Any]) -> Any:
    from node.desks.fund.words import read_words
    from node.fund.outgoing_payments import write_words

    signature = sign(secret, Domain.OFFICER, write_words(read_words(words)))
    return await house.command(
        *(house.fund, "fund", "payment_sign"),
        **{"words": words, "officer": secret.public.id.hex(), "signature": signature.hex()},
    )


async def _order(house: House) -> None:
    """Order all that is signed: one order a day, so each is of a later day."""
    office = house.office
    office.orders += 1
    day = datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=office.orders)
    made = await house.command(house.fund, "fund", "order", day=day.isoformat())
    again = await house.command(house.fund, "fund", "order", day=day.isoformat())
    if made != again:
        house.oracle.twice += 1
        house.oracle.wrong(f"the order of {day} is another when asked again")
    found = re.findall(r"<EndToEndId>([^<]+)</EndToEndId>.*?<InstdAmt[^>]*>([0-9]+)\.([0-9]{2})<", made["xml"], re.S)
    for end_to_end_id, euros, cents in found:
        if end_to_end_id in office.leaving or end_to_end_id in office.booked:
            house.oracle.twice += 1
            house.oracle.wrong(f"{end_to_end_id} stands in two orders")
        office.leaving[end_to_end_id] = int(euros) * 100 + int(cents)


async def issue_receipts_on(house: House, dice: random.Random, stop: asyncio.Event) -> None:
    """Receipt what has come since the last one, now and then."""
    while not stop.is_set():
        await issue_receipt(house)
        await asyncio.sleep(2 + dice.uniform(*BETWEEN_SECONDS))


async def issue_receipt(house: House) -> bool:
    """Ask for one receipt; tell whether there was anything to receipt."""
    from tests.killing.house import SIREN

    asked = {"id": str(uuid.uuid4()), "donor": SIREN, "from": "2020-01-01", "to": "2099-12-31"}
    try:
        made = await house.command(house.fund, "fund", "receipt_issue", **asked)
        again = await house.command(house.fund, "fund", "receipt_issue", **asked)
    except Refusal as refusal:
        if refusal.code != "nothing_to_receipt":
            house.oracle.wrong(f"a receipt is refused: {refusal.code} {refusal.facts}")
        return False
    if again["number"] != made["number"]:
        house.oracle.twice += 1
        house.oracle.wrong(f"receipt {made['number']} is {again['number']} when asked again")
    house.office.receipts += 1
    return True


async def book_files_on(house: House, dice: random.Random, stop: asyncio.Event) -> None:
    """Load and book files of operations, each under an id of its own."""
    while not stop.is_set():
        await _book_file(house, dice)
        await asyncio.sleep(dice.uniform(*BETWEEN_SECONDS))


async def _book_file(house: House, dice: random.Random) -> None:
    office, id_ = house.office, uuid.uuid4()
    accounts = [dice.choice(house.people) for _ in range(dice.randint(*ROWS))]
    rows = [
        f"{id_.hex[:12]}-{row};staff;{house.addresses[account]};0,{ROW_CENTS:02d};prime\n"
        for row, account in enumerate(accounts)
    ]
    file = house.node.folder / f"operations-{id_.hex}.csv"
    file.write_text("id;kind;account;amount;label\n" + "".join(rows))
    loaded = await house.command(
        house.node, "partners", "operations_load", id=str(id_), campaign=house.campaign, file=str(file)
    )
    if (loaded["rows"], loaded["accepted"]) != (len(rows), len(rows)):
        house.oracle.wrong(f"file {id_.hex}: {loaded} of {len(rows)} rows")
        return
    booked = await house.command(house.node, "partners", "operations_book", run=str(id_), skips_wrong=False)
    if booked["state"] != "done":
        house.oracle.wrong(f"file {id_.hex} is {booked['state']} after it was booked")
    office.files[str(id_)] = len(rows)
    for account in accounts:
        office.given[account] = office.given.get(account, 0) + ROW_CENTS


async def judge_office(house: House) -> None:
    """Hold what the fund and the companies show at rest against what was asked."""
    office, oracle = house.office, house.oracle
    while await issue_receipt(house):
        pass
    shown = {row["id"]: row for row in await house.command(house.fund, "fund", "payments")}
    for id_, cents in office.payments.items():
        row = shown.get(id_)
        if row is None:
            oracle.lost += 1
            oracle.wrong(f"payment {id_} was signed by two, and is not there")
            continue
        wanted = "confirmed" if row["end_to_end_id"] in office.booked else "ordered"
        if (row["cents"], row["state"], row["signatures"]) != (cents, wanted, 2):
            oracle.wrong(f"payment {id_} of {cents} cents is {wanted}, and shown as {row}")
    if len(shown) > len(office.payments):
        oracle.twice += 1
        oracle.wrong(f"{len(shown)} payments, and {len(office.payments)} were asked for")
    orders = await house.command(house.fund, "fund", "orders")
    if sum(one["cents"] for one in orders) != sum(office.payments.values()):
        oracle.wrong(f"orders of {sum(one['cents'] for one in orders)} cents, {sum(office.payments.values())} are due")
    receipts = await house.command(house.fund, "fund", "receipts")
    numbers = sorted(int(re.findall(r"[0-9]+", one["number"])[-1]) for one in receipts)
    if numbers != list(range(1, len(numbers) + 1)):
        oracle.wrong(f"receipts are numbered {numbers}")
    euros = sum(oracle.entries.values())
    if sum(one["cents"] for one in receipts) != euros:
        oracle.wrong(f"receipts of {sum(one['cents'] for one in receipts)} cents, and {euros} came")
    if len(receipts) < office.receipts:
        oracle.lost += 1
        oracle.wrong(f"{len(receipts)} receipts, and {office.receipts} were acknowledged")
    for id_, rows in office.files.items():
        told = await house.command(house.node, "partners", "operations_show", run=id_)
        if (told["state"], told["accepted"], told["cents"]) != ("done", rows, rows * ROW_CENTS):
            oracle.wrong(f"file {id_} of {rows} rows is shown as {told}")
        again = await house.command(house.node, "partners", "operations_book", run=id_, skips_wrong=False)
        if again != told:
            oracle.wrong(f"file {id_} is booked again as {again}")
