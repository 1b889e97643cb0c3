"""All steps of the projects' office that have a door, and the commands that have none. Pure."""

from __future__ import annotations

from typing import Final

from node.desks.projects.attestations_steps import ATTESTATIONS_STEPS
from node.desks.projects.audits_steps import AUDITS_STEPS
from node.desks.projects.bearers_steps import BEARERS_STEPS
from node.desks.projects.comments_steps import COMMENTS_STEPS
from node.desks.projects.committee_steps import COMMITTEE_STEPS
from node.desks.projects.passes_steps import PASSES_STEPS
from node.desks.projects.projects_steps import PROJECT_STEPS
from node.desks.projects.rounds_steps import ROUNDS_STEPS
from node.desks.projects.south_steps import SOUTH_STEPS
from node.desks.projects.volunteering_steps import VOLUNTEERING_STEPS
from node.desks.projects.votes_steps import VOTES_STEPS
from node.doors.steps import Steps
from protocol.running.openapi import Api

_MACHINE: Final = "whose signatures count is said on the machine, before two people"
_FUND: Final = "which fund is paid by is said on the machine, by a key compared by telephone"
_KEYS: Final = "a key of doors makes no other"
PROJECTS_STEPS: Final = Steps(
    prefix="/v1/projects/office",
    steps=(
        *PROJECT_STEPS,
        *BEARERS_STEPS,
        *COMMITTEE_STEPS,
        *VOTES_STEPS,
        *COMMENTS_STEPS,
        *ROUNDS_STEPS,
        *ATTESTATIONS_STEPS,
        *PASSES_STEPS,
        *AUDITS_STEPS,
        *SOUTH_STEPS,
        *VOLUNTEERING_STEPS,
    ),
    without={
        "key_new": _KEYS,
        "key_revoke": _KEYS,
        "keys": _KEYS,
        "signer_add": _MACHINE,
        "payer_add": _FUND,
        "payer_forget": _FUND,
        "catch_up": "the base does it by itself every quarter of an hour",
        "pass_retire_key": "which key signed passes is said on the machine",
    },
    api=Api(
        title="Citizen-Miles projects' office",
        words=(
            "Amounts are whole cents. An `id` that a request brings is the caller's own (UUID): the same id with the same"
            " content is answered again and never done twice; with another content it is refused. Steps without one say what"
            " is so from now on. What the office does is done by the officer whose key is shown: `by` may be left out, and"
            " naming another is refused; `author` is who said what the office writes down."
        ),
        key="cmd_<id>_<secret>",
    ),
)
