"""All steps of a fund that have a door, and the commands that have none. Pure."""

from __future__ import annotations

from typing import Final

from node.desks.fund.bank_steps import BANK_STEPS
from node.desks.fund.books_steps import BOOKS_STEPS
from node.desks.fund.cards_steps import CARDS_STEPS
from node.desks.fund.donors_steps import DONORS_STEPS
from node.desks.fund.dues_steps import DUES_STEPS
from node.desks.fund.gifts_steps import GIFTS_STEPS
from node.desks.fund.netting_steps import NETTING_STEPS
from node.desks.fund.payments_steps import PAYMENTS_STEPS
from node.desks.fund.receipts_steps import RECEIPTS_STEPS
from node.doors.duties import Duty
from node.doors.steps import Steps
from protocol.running.openapi import Api

FUND_DUTIES: Final = (Duty.READER, Duty.ACCOUNTANT, Duty.TREASURER, Duty.OFFICER)
_KEYS: Final = "a key of doors makes no other"
FUND_STEPS: Final = Steps(
    prefix="/v1/fund",
    steps=(
        *DONORS_STEPS,
        *GIFTS_STEPS,
        *BANK_STEPS,
        *PAYMENTS_STEPS,
        *DUES_STEPS,
        *NETTING_STEPS,
        *RECEIPTS_STEPS,
        *BOOKS_STEPS,
        *CARDS_STEPS,
    ),
    without={
        "key_new": _KEYS,
        "key_revoke": _KEYS,
        "keys": _KEYS,
        "officer_add": "who may sign is said on the machine, before two people",
        "decider_add": "whose decisions are believed is said on the machine, by a card compared by telephone",
        "state_numbers": "after a recovery a person reads papers, and says so on the machine",
        "carry": "for a fund that nobody serves",
        "check": "it reads the whole base",
    },
    api=Api(
        title="Citizen-Miles fund",
        words=(
            "Amounts are whole cents. An `id` that a request brings is the caller's own (UUID): the same id with the same"
            " content is answered again and never done twice; with another content it is refused. Steps without one are"
            " the same however often they are asked. Files are given to whoever accepts their media type."
        ),
        key="cmd_<id>_<secret>",
    ),
)
