"""The doors of the companies' office: who calls, and whose the things are that a step names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from node.desks.partners.admin_commands import PARTNERS_COMMANDS, read_id
from node.desks.partners.steps import PARTNERS_STEPS
from node.doors.duties import AnotherCompany, Caller, Duty, KeyNotKnown
from node.doors.steps import Step
from node.doors.steps_api import Doors
from node.partners.companies import Siren
from node.partners.errors import CampaignUnknown, RunUnknown, TillNotKnown, TillUnknown
from node.partners.operations_service import load_run
from node.partners.store import load_campaign
from node.partners.tills_service import PREFIX as TILL_PREFIX
from node.partners.tills_service import find_till
from node.partners_app import PartnersApp
from protocol.identifiers import format_id


def open_partners_doors(app: PartnersApp) -> Doors:
    """Return the doors of the office's steps. A company's office may also come with its credential of the till doors."""

    async def authorise(text: str) -> Caller:
        if not text.startswith(f"{TILL_PREFIX}_"):
            return await app.keys.authorise(text)
        try:
            office = await app.partners.tills.authorise(text)
        except TillNotKnown:
            raise KeyNotKnown from None
        office.require_in_force(app.book.clock())
        office.require_office()
        return Caller(key=office.key_id, duties=frozenset({Duty.COMPANY}), officer=office.key_id, company=office.siren)

    async def require_own(step: Step, asked: Mapping[str, Any], company: str) -> None:
        """Another company's things are as unknown as those that are not there."""
        told = str(asked[step.of_company])
        if step.of_company == "siren":
            if told != company:
                raise AnotherCompany(company=company, step=step.called)
        elif step.of_company == "campaign":
            await _require_campaign(app, told, company)
        elif step.of_company == "run":
            await _require_run(app, told, company)
        else:
            till = await app.book.read(lambda line: find_till(line, told))
            if till is None or till.siren != Siren(company):
                raise TillUnknown(till=told[:40])

    return Doors(
        app,
        PARTNERS_COMMANDS,
        PARTNERS_STEPS,
        folder=app.folder,
        clock=app.book.clock,
        authorise=authorise,
        require_own=require_own,
    )


async def _require_campaign(app: PartnersApp, told: str, company: str) -> None:
    id_ = read_id(told)
    row = await app.book.read(lambda line: load_campaign(line, id_))
    if row.campaign.company != company:
        raise CampaignUnknown(campaign=format_id(id_))


async def _require_run(app: PartnersApp, told: str, company: str) -> None:
    id_ = read_id(told)
    run = await app.book.read(lambda line: load_run(line, id_))
    row = await app.book.read(lambda line: load_campaign(line, run.campaign))
    if row.campaign.company != company:
        raise RunUnknown(id=format_id(id_))
