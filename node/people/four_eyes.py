"""Four eyes: where roles or rules move, one proposes and another approves, and neither is whom it is about. Pure.

PROPOSED ──▶ APPROVED      by another
   ├───────▶ REJECTED      by another
   └───────▶ WITHDRAWN     by whoever proposed it
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from node.people.errors import ProposalEnded, SameEyes
from protocol.identifiers import Id16, format_id


class ProposalKind(StrEnum):
    """What is to be moved."""

    GRANT_ROLE = "grant_role"
    END_ROLE = "end_role"
    NAME_ROLE = "name_role"  # by which word its base knows the officer
    PUBLISH_TEXT = "publish_text"
    SET_RULE = "set_rule"


class ProposalState(StrEnum):
    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class Decision(StrEnum):
    APPROVE = "approve"
    REJECT = "reject"
    WITHDRAW = "withdraw"


_S = ProposalState
NEXT_STATE: Final[Mapping[ProposalState, Mapping[Decision, ProposalState]]] = {
    _S.PROPOSED: {
        Decision.APPROVE: _S.APPROVED,
        Decision.REJECT: _S.REJECTED,
        Decision.WITHDRAW: _S.WITHDRAWN,
    },
    _S.APPROVED: {},
    _S.REJECTED: {},
    _S.WITHDRAWN: {},
}


def require_proposer(proposer: Id16, subject: Id16 | None) -> None:
    """Raises SameEyes for somebody who proposes something about himself."""
    if proposer == subject:
        raise SameEyes(reason="nobody proposes what is about himself")


def advance(
    state: ProposalState, decision: Decision, *, id_: Id16, proposer: Id16, subject: Id16 | None, decider: Id16
) -> ProposalState:
    """Return the state after a decision. Raises SameEyes, ProposalEnded."""
    if decision is Decision.WITHDRAW:
        if decider != proposer:
            raise SameEyes(reason="only whoever proposed it withdraws it")
    elif decider == proposer:
        raise SameEyes(reason="whoever proposed it does not decide it")
    elif decider == subject:
        raise SameEyes(reason="nobody decides what is about himself")
    after = NEXT_STATE[state].get(decision)
    if after is None:
        raise ProposalEnded(proposal=format_id(id_), state=str(state))
    return after
