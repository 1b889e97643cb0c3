"""What each `citizen-miles node people` command does in the process that holds the people's book."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Mapping
from typing import Any, Final

from node.doors.keys_admin_commands import KEY_COMMANDS
from node.people import store, tables
from node.people.authority import Action, Purpose
from node.people.code_pages import draw_cards, write_cards
from node.people.consents import ConsentPurpose
from node.people.days import parse_day
from node.people.declarations import DeclarationKind
from node.people.delegations import read_powers
from node.people.exports import write_zip
from node.people.four_eyes import Decision, ProposalKind
from node.people.identities import Credential, Elsewhere, IdentityKind, Passkey
from node.people.identities_service import write_identity
from node.people.paper_codes import format_code, parse_code
from node.people.records import CivilRecord, LookupKind, PersonKind, make_record
from node.people.requests import (
    AskAbout,
    ChangeErasure,
    ClaimCard,
    Consent,
    Decide,
    Declare,
    Delegate,
    Enrol,
    Enter,
    Erase,
    Find,
    Found,
    Join,
    LinkTo,
    Look,
    LookAtCard,
    LookAtErasure,
    OpenFor,
    Propose,
    Read,
    Rectify,
    Reverse,
    Revoke,
    SettleLost,
    Stock,
)
from node.people.rules import RuleName
from node.people_app import PeopleApp
from protocol.errors import Malformed
from protocol.identifiers import (
    AccountNumber,
    Address,
    Id16,
    format_address,
    format_id,
    parse_address,
    parse_id,
    require_number,
)
from protocol.running.admin_client import Command

Asked = Mapping[str, Any]
WAIT_SECONDS: Final = 5.0
_LOOK_EVERY_SECONDS: Final = 0.05


def _carried(asked: Asked) -> dict[str, Any]:
    """Return what every request carries. Raises InvalidId, Malformed."""
    return {
        "id": parse_id(asked["id"]),
        "by": parse_id(asked["by"]),
        "purpose": _word(Purpose, asked["purpose"], "purpose"),
    }


def _word(kind: Any, text: str, field: str) -> Any:
    try:
        return kind(text)
    except ValueError:
        raise Malformed(field=field, reason=f"one of {', '.join(kind)}") from None


def _record(asked: Asked) -> CivilRecord:
    birth = asked.get("birth_date", "")
    return make_record(
        name=asked["name"],
        birth_date=parse_day(birth, "birth_date") if birth else 0,
        address=asked.get("address", ""),
        email=asked.get("email", ""),
        telephone=asked.get("telephone", ""),
    )


def _person(asked: Asked, name: str = "person") -> Id16:
    return parse_id(asked[name])


def _account(text: str, home: str) -> AccountNumber:
    """Return an account of this territory, by number or address. Raises InvalidAddress."""
    if "@" not in text:
        return require_number(text)
    address = parse_address(text)
    if address.territory != home:
        raise Malformed(field="account", reason=f"an account of {home}")
    return address.number


def _into(asked: Asked, home: str) -> str:
    return _account(asked["into"], home) if asked.get("into") else ""


# ---------------------------------------------------------------- persons


async def _found(app: PeopleApp, asked: Asked) -> Any:
    first = parse_id(asked["id"])
    told = Found(
        id=first,
        by=first,
        purpose=Purpose.GOVERNANCE,
        first=make_record(name=asked["first"]),
        second=make_record(name=asked["second"]),
        second_id=parse_id(asked["second_id"]),
    )
    return await app.book.write(app.people.persons.found, told)


async def _enter(app: PeopleApp, asked: Asked) -> Any:
    kind = _word(PersonKind, asked["kind"], "kind")
    return await app.book.write(app.people.persons.enter, Enter(**_carried(asked), kind=kind, record=_record(asked)))


async def _rectify(app: PeopleApp, asked: Asked) -> Any:
    told = Rectify(**_carried(asked), person=_person(asked), record=_record(asked))
    return await app.book.write(app.people.persons.rectify, told)


async def _read(app: PeopleApp, asked: Asked) -> Any:
    told = Read(**_carried(asked), person=_person(asked), has_history=asked["history"])
    return await app.book.write(app.people.persons.read, told)


async def _find(app: PeopleApp, asked: Asked) -> Any:
    birth = asked.get("birth_date", "")
    told = Find(
        **_carried(asked),
        kind=_word(LookupKind, asked["kind"], "kind"),
        value=asked["value"],
        birth_date=parse_day(birth, "birth_date") if birth else 0,
    )
    return await app.book.write(app.people.persons.find, told)


async def _join(app: PeopleApp, asked: Asked) -> Any:
    told = Join(
        **_carried(asked),
        group=_person(asked, "group"),
        member=_person(asked, "member"),
        is_member=asked["is_member"],
    )
    return await app.book.write(app.people.persons.join, told)


async def _log(app: PeopleApp, asked: Asked) -> Any:
    told = Read(**_carried(asked), person=_person(asked))
    return await app.book.write(app.people.exports.look_at_log, told)


# ---------------------------------------------------------------- accounts and export


async def _open(app: PeopleApp, asked: Asked) -> Any:
    return await app.book.write(app.people.accounts.open, OpenFor(**_carried(asked), person=_person(asked)))


async def _link(app: PeopleApp, asked: Asked) -> Any:
    told = LinkTo(**_carried(asked), person=_person(asked), account=_account(asked["account"], app.home))
    return await app.book.write(app.people.accounts.link, told)


async def _export(app: PeopleApp, asked: Asked) -> Any:
    """Ask the accounts first, wait a little for their answer, then gather everything."""
    carried = _carried(asked)
    person = _person(asked)
    question = AskAbout(**{**carried, "id": app.people.room.new_id()}, person=person)
    await app.book.write(app.people.accounts.ask, question)
    give_up = time.monotonic() + (WAIT_SECONDS if app.is_served else 0)
    is_answered = await app.book.read(lambda line: _is_answered(line, person))
    while not is_answered and time.monotonic() < give_up:
        await asyncio.sleep(_LOOK_EVERY_SECONDS)
        is_answered = await app.book.read(lambda line: _is_answered(line, person))
    gathered = await app.book.write(app.people.exports.export, Read(**carried, person=person))
    packed = write_zip(gathered)
    return {"zip": base64.b64encode(packed).decode(), "accounts_answered": is_answered, "export": gathered}


def _is_answered(line: Any, person: bytes) -> bool:
    return all(row.question is None for row in store.list_rows(line, tables.accounts, person=person))


# ---------------------------------------------------------------- consent


async def _consent(app: PeopleApp, asked: Asked) -> Any:
    told = Consent(
        **_carried(asked),
        person=_person(asked),
        about=_word(ConsentPurpose, asked["about"], "about"),
        is_given=asked["is_given"],
    )
    return await app.book.write(app.people.consents.consent, told)


async def _texts(app: PeopleApp, _asked: Asked) -> Any:
    told = await app.book.read(store.list_texts)
    return [
        {"purpose": str(one.purpose), "version": one.version, "french": one.french, "english": one.english}
        for one in told
    ]


# ---------------------------------------------------------------- roles, rules, four eyes


async def _propose(app: PeopleApp, asked: Asked) -> Any:
    kind = _word(ProposalKind, asked["kind"], "kind")
    subject = parse_id(asked["person"]) if asked.get("person") else None
    body = dict(asked["body"])
    if kind in (ProposalKind.END_ROLE, ProposalKind.NAME_ROLE):
        body["role"] = parse_id(body.get("role", "")).hex()
    for name in ("from_day", "until_day"):
        if name in body:
            body[name] = parse_day(body[name], name) if body[name] else 0
    told = Propose(**_carried(asked), kind=kind, subject=subject, body=body)
    return await app.book.write(app.people.roles.propose, told)


async def _decide(app: PeopleApp, asked: Asked) -> Any:
    decision = _word(Decision, asked["decision"], "decision")
    told = Decide(**_carried(asked), proposal=parse_id(asked["proposal"]), decision=decision)
    return await app.book.write(app.people.roles.decide, told)


async def _proposals(app: PeopleApp, asked: Asked) -> Any:
    rows = await app.book.write(app.people.roles.look, Look(**_carried(asked)))
    return [row for row in rows if asked["all"] or row["state"] == "proposed"]


async def _roles(app: PeopleApp, _asked: Asked) -> Any:
    day = app.people.room.day(app.book.clock())
    rows = await app.book.read(lambda line: store.list_rows(line, tables.role_words))
    words = {bytes(row.role): row for row in rows}
    return [
        {
            "role": format_id(role.id),
            "person": format_id(role.person),
            "base": role.base.lower(),
            "duty": str(role.duty),
            "from_day": role.from_day,
            "until_day": role.until_day or None,
            "in_force": role.is_in_force(day),
            **_write_word(words.get(role.id)),
        }
        for role in await app.book.read(store.list_roles)
    ]


def _write_word(row: Any) -> dict[str, Any]:
    """Return how a role's base knows its officer, and how far it is with ending his keys there."""
    return {
        "word": "" if row is None else row.word,
        "key": "" if row is None or row.key is None else bytes(row.key).hex(),
        "keys_state": "" if row is None else row.state,
        "doors_ended": 0 if row is None else row.doors,
        "signers_ended": 0 if row is None else row.signers,
    }


async def _rules(app: PeopleApp, _asked: Asked) -> Any:
    return {
        str(name): await app.book.read(lambda line, name=name: store.load_rule(line, name))  # type: ignore[misc]
        for name in RuleName
    }


# ---------------------------------------------------------------- declarations, delegations


async def _declare(app: PeopleApp, asked: Asked) -> Any:
    told = Declare(
        **_carried(asked),
        person=_person(asked),
        kind=_word(DeclarationKind, asked["kind"], "kind"),
        effective_on=parse_day(asked["on"], "on"),
    )
    return await app.book.write(app.people.declarations.declare, told)


async def _reverse(app: PeopleApp, asked: Asked) -> Any:
    told = Reverse(**_carried(asked), declaration=parse_id(asked["declaration"]))
    return await app.book.write(app.people.declarations.reverse, told)


async def _declarations(app: PeopleApp, asked: Asked) -> Any:
    return await app.book.write(app.people.declarations.look, Look(**_carried(asked)))


async def _delegate(app: PeopleApp, asked: Asked) -> Any:
    told = Delegate(
        **_carried(asked),
        person=_person(asked),
        delegate=_person(asked, "delegate"),
        powers=read_powers(asked["powers"]),
        from_day=parse_day(asked["from_day"], "from_day"),
        until_day=parse_day(asked["until_day"], "until_day"),
    )
    return await app.book.write(app.people.delegations.delegate, told)


async def _undelegate(app: PeopleApp, asked: Asked) -> Any:
    told = Revoke(**_carried(asked), person=_person(asked), what=parse_id(asked["what"]))
    return await app.book.write(app.people.delegations.revoke, told)


# ---------------------------------------------------------------- identities and cards


def _credential(asked: Asked) -> Credential:
    if asked["kind"] == IdentityKind.OIDC:
        return Elsewhere(issuer=asked.get("issuer", ""), subject=asked.get("subject", ""))
    given = asked.get("credential", ""), asked.get("public_key", "")
    try:
        return Passkey(credential=bytes.fromhex(given[0]), public_key=bytes.fromhex(given[1]))
    except ValueError:
        raise Malformed(field="credential", reason="hexadecimal digits") from None


async def _enrol(app: PeopleApp, asked: Asked) -> Any:
    told = Enrol(**_carried(asked), person=_person(asked), credential=_credential(asked))
    return await app.book.write(app.people.identities.enrol, told)


async def _enrol_paper(app: PeopleApp, asked: Asked) -> Any:
    carried = _carried(asked)
    answer, code = await app.people.enrol_paper(
        id_=carried["id"], by=carried["by"], purpose=carried["purpose"], person=_person(asked)
    )
    return {**answer, "code": "" if code is None else format_code(code)}


async def _revoke_identity(app: PeopleApp, asked: Asked) -> Any:
    told = Revoke(**_carried(asked), person=_person(asked), what=parse_id(asked["what"]))
    return await app.book.write(app.people.identities.revoke, told)


async def _identities(app: PeopleApp, asked: Asked) -> Any:
    carried, person = _carried(asked), _person(asked)
    await app.book.write(app.people.persons.read, Read(**carried, person=person))  # entitled, and noted
    rows = await app.book.read(lambda line: store.list_rows(line, tables.identities, person=person))
    return [write_identity(row) for row in rows]


async def _verify(app: PeopleApp, asked: Asked) -> Any:
    return await app.people.show_card(_card(asked), asked["code"])


def _card(asked: Asked) -> LookAtCard:
    return LookAtCard(**_carried(asked), found_by=parse_code(asked["code"]).found_by)


async def _stock(app: PeopleApp, asked: Asked) -> Any:
    return await app.book.write(app.people.accounts.stock, Stock(**_carried(asked), count=asked["count"]))


async def _print(app: PeopleApp, asked: Asked) -> Any:
    """Print cards: the codes are in the answer once, and nowhere else."""
    carried = _carried(asked)
    answer, made = await app.people.print_cards(
        id_=carried["id"], by=carried["by"], purpose=carried["purpose"], count=asked["count"]
    )
    cards = [(format_address(Address(AccountNumber(number), app.home)), format_code(code)) for number, code in made]
    is_pdf = asked["format"] == "pdf"
    drawn = await asyncio.get_running_loop().run_in_executor(
        None, lambda: (draw_cards(cards) if is_pdf else write_cards(cards).encode()) if cards else b""
    )
    return {"cards": len(answer["accounts"]), "printed": len(cards), "file": base64.b64encode(drawn).decode()}


async def _claim(app: PeopleApp, asked: Asked) -> Any:
    """Verify the code, and make its account the person's."""
    carried, person = _carried(asked), _person(asked)
    told = await app.people.show_card(_card(asked), asked["code"])
    claimed = ClaimCard(**carried, identity=parse_id(told["identity"]), person=person)
    return await app.book.write(app.people.identities.claim, claimed)


# ---------------------------------------------------------------- erasure, keys


async def _erase(app: PeopleApp, asked: Asked) -> Any:
    told = Erase(**_carried(asked), person=_person(asked), into=_into(asked, app.home))
    answer = await app.book.write(app.people.erasures.erase, told)
    await app.people.scrub()
    return answer


async def _change_erasure(app: PeopleApp, asked: Asked) -> Any:
    told = ChangeErasure(
        **_carried(asked),
        erasure=parse_id(asked["erasure"]),
        into=_into(asked, app.home),
        is_cancelled=asked["is_cancelled"],
    )
    return await app.book.write(app.people.erasures.change, told)


async def _erasure(app: PeopleApp, asked: Asked) -> Any:
    told = LookAtErasure(**_carried(asked), erasure=parse_id(asked["erasure"]))
    return await app.book.write(app.people.erasures.look, told)


async def _lost(app: PeopleApp, asked: Asked) -> Any:
    rows = await app.book.write(app.people.lost.look, Look(**_carried(asked)))
    return [row for row in rows if asked.get("all") or not row["settled_at"]]


async def _settle_lost(app: PeopleApp, asked: Asked) -> Any:
    told = SettleLost(**_carried(asked), lost=parse_id(asked["lost"]))
    return await app.book.write(app.people.lost.settle, told)


async def _catch_up(app: PeopleApp, _asked: Asked) -> Any:
    await app.people.catch_up()
    return {"done": True}


async def _rotate(app: PeopleApp, asked: Asked) -> Any:
    by = parse_id(asked["by"])
    await app.book.write(_require_rotation(app), by)
    count, forgotten = await app.rotate(by, forgets=asked["forget"])
    return {"data_keys": count, "forgotten_base_keys": forgotten}


def _require_rotation(app: PeopleApp) -> Any:
    def look(page: Any, items: Any) -> list[Any]:
        return app.people.room.each(
            page, items, lambda by: app.people.room.require_entitled(page, Action.ROTATE, by, None)
        )

    return look


PEOPLE_COMMANDS: Final[Mapping[str, Command]] = {
    "found": _found,
    "enter": _enter,
    "rectify": _rectify,
    "read": _read,
    "find": _find,
    "join": _join,
    "log": _log,
    "open": _open,
    "link": _link,
    "export": _export,
    "consent": _consent,
    "texts": _texts,
    "propose": _propose,
    "decide": _decide,
    "proposals": _proposals,
    "roles": _roles,
    "rules": _rules,
    "declare": _declare,
    "reverse": _reverse,
    "declarations": _declarations,
    "delegate": _delegate,
    "undelegate": _undelegate,
    "enrol": _enrol,
    "enrol_paper": _enrol_paper,
    "revoke_identity": _revoke_identity,
    "identities": _identities,
    "verify": _verify,
    "stock": _stock,
    "print": _print,
    "claim": _claim,
    "erase": _erase,
    "change_erasure": _change_erasure,
    "erasure": _erasure,
    "lost": _lost,
    "settle_lost": _settle_lost,
    "catch_up": _catch_up,
    "rotate": _rotate,
    **KEY_COMMANDS,
}
