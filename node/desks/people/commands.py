"""`citizen-miles node people …`: who is behind an account number. Each reaches the running base, or opens its book."""

from __future__ import annotations

import base64
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from node.doors.keys_commands import make_key_group
from node.house.cards import compute_fingerprint, format_card
from node.house.folders_store import base_folder
from node.options_commands import AsJson, Day, IdOption, id_or_new
from node.people.lost import explain_lost
from protocol.house import BaseName
from protocol.running.admin_client import Command, call
from protocol.running.console_commands import choose_language, progress, refusals_explained, say, show
from protocol.running.keys_store import write_private
from protocol.running.settings import NotConfigured, format_settings

app = typer.Typer(
    no_args_is_help=True, help="People: civil records, consents, roles, cards, erasure. No name elsewhere."
)
person = typer.Typer(no_args_is_help=True, help="Persons, households and groups.")
account = typer.Typer(no_args_is_help=True, help="A person's accounts, by number.")
consent = typer.Typer(no_args_is_help=True, help="Consent: given and withdrawn.")
proposal = typer.Typer(no_args_is_help=True, help="Roles, rules and texts: one proposes, another approves.")
declaration = typer.Typer(no_args_is_help=True, help="Death and dormancy.")
delegation = typer.Typer(no_args_is_help=True, help="Who may act for whom.")
identity = typer.Typer(no_args_is_help=True, help="By what somebody signs in.")
card = typer.Typer(no_args_is_help=True, help="Free accounts on paper, to be handed out. Nobody says for whom, or why.")
erasure = typer.Typer(no_args_is_help=True, help="Forget somebody, and say what is kept.")
lost = typer.Typer(no_args_is_help=True, help="What an old copy of this base does not know, and a person does.")
key = typer.Typer(no_args_is_help=True, help="The base key.")
for name, group in (
    ("person", person),
    ("account", account),
    ("consent", consent),
    ("proposal", proposal),
    ("declaration", declaration),
    ("delegation", delegation),
    ("identity", identity),
    ("card", card),
    ("erasure", erasure),
    ("lost", lost),
    ("key", key),
):
    app.add_typer(group, name=name)

Folder = Annotated[Path, typer.Argument(help="the node's folder, or that of the base kept apart", file_okay=False)]
By = Annotated[str, typer.Option("--by", help="who does it: an officer of this base, the person, or a delegate")]
Why = Annotated[str, typer.Option("--purpose", help="why; it stands in the journal")]
Person = Annotated[str, typer.Argument(help="the person's id")]
Text = Annotated[str, typer.Option()]
Into = Annotated[str, typer.Option(help="the account that rights go to; empty: there are none left")]
ASKED = "request_of_person"
GOVERNED = "governance"


def _call(folder: Path, command: str, /, **arguments: Any) -> Any:
    def open_app() -> tuple[Any, Mapping[str, Command]]:
        from node.desks.people.admin_commands import PEOPLE_COMMANDS
        from node.people_app import PeopleApp

        return PeopleApp(folder), PEOPLE_COMMANDS

    return call(base_folder(folder, BaseName.PEOPLE), command, arguments, open_app=open_app)


def _ask(folder: Path, command: str, by: str, purpose: str, id_: str, /, **arguments: Any) -> Any:
    return _call(folder, command, id=id_or_new(id_), by=by, purpose=purpose, **arguments)


app.add_typer(
    make_key_group(
        _call,
        "reader, registrar, distributor, governor, auditor",
        has_companies=False,
        officer="the id of the officer it is issued to",
    ),
    name="door-key",
)


@app.command()
def init(
    folder: Folder,
    zone: Annotated[str, typer.Option(help="the time zone whose days count")] = "Europe/Paris",
    database: Annotated[str, typer.Option(help="postgresql://… instead of a file in the folder")] = "",
    passphrase_file: Annotated[str, typer.Option(help="what locks the keys; no other base needs it")] = "",
    territory: Annotated[str, typer.Option(help="only where the node lives elsewhere")] = "",
    listen: Annotated[str, typer.Option(help="host:port; only where the node lives elsewhere")] = "127.0.0.1:8465",
    as_json: AsJson = False,
) -> None:
    """Make the people's base: configuration, the keys that it signs with, and its base key."""
    from node.desks.house.init_service import add_base, open_folder_house
    from node.people.settings import PeopleSettings
    from node.people_app import BASE_KEYS, FILE, create_base_key

    with refusals_explained():
        where = base_folder(folder, BaseName.PEOPLE)
        if (where / FILE).exists():
            raise NotConfigured(reason=f"{where} holds a people's base already")
        settings = PeopleSettings(zone=zone, database=database, passphrase_file=passphrase_file)
        house = open_folder_house(folder, territory, listen)
        made = add_base(folder, BaseName.PEOPLE, house, database=database, passphrase_file=passphrase_file)
        if not (where / "keys" / BASE_KEYS / "current").exists():
            create_base_key(where, settings)
        write_private(where / FILE, format_settings(settings).encode())
        told = {"folder": str(where), "card": format_card(made), "fingerprint": compute_fingerprint(made)}
        show(told, as_json=as_json)


@app.command()
def found(
    folder: Folder,
    first: Annotated[str, typer.Option(help="the first officer's name")],
    second: Annotated[str, typer.Option(help="the second officer's name")],
    id_: Annotated[str, typer.Option("--id", help="the first's id, yours to choose")] = "",
    second_id: Annotated[str, typer.Option(help="the second's id")] = "",
    as_json: AsJson = False,
) -> None:
    """Name the first two officers of this base: once. From then on roles move by four eyes."""
    with refusals_explained():
        ids = {"id": id_or_new(id_), "second_id": id_or_new(second_id)}
        show(_call(folder, "found", first=first, second=second, **ids), as_json=as_json)


# ---------------------------------------------------------------- persons


@person.command("enter")
def enter(
    folder: Folder,
    by: By,
    name: Annotated[
        str, typer.Option(help="the only thing that must be there; asked where it is not given", prompt=True)
    ],
    kind: Annotated[str, typer.Option(help="person, household or group")] = "person",
    birth_date: Day = "",
    address: Text = "",
    email: Text = "",
    telephone: Text = "",
    purpose: Why = "enrolment",
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Enter somebody. The id becomes the person's."""
    with refusals_explained():
        told = {"name": name, "birth_date": birth_date, "address": address, "email": email, "telephone": telephone}
        show(_ask(folder, "enter", by, purpose, id_, kind=kind, **told), as_json=as_json)


@person.command("rectify")
def rectify(
    folder: Folder,
    person: Person,
    by: By,
    name: Annotated[str, typer.Option(help="the whole record is given anew", prompt=True)],
    birth_date: Day = "",
    address: Text = "",
    email: Text = "",
    telephone: Text = "",
    purpose: Why = ASKED,
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Correct a record; what stood before stays in its history, sealed."""
    with refusals_explained():
        told = {"name": name, "birth_date": birth_date, "address": address, "email": email, "telephone": telephone}
        show(_ask(folder, "rectify", by, purpose, id_, person=person, **told), as_json=as_json)


@person.command("read")
def read(
    folder: Folder, person: Person, by: By, history: bool = False, purpose: Why = ASKED, as_json: AsJson = False
) -> None:
    """Show a record. The person will see that you did."""
    with refusals_explained():
        show(_ask(folder, "read", by, purpose, "", person=person, history=history), as_json=as_json)


@person.command("find")
def find(
    folder: Folder,
    by: By,
    email: Text = "",
    telephone: Text = "",
    name: Annotated[str, typer.Option(help="together with --birth-date")] = "",
    birth_date: Day = "",
    purpose: Why = ASKED,
    as_json: AsJson = False,
) -> None:
    """Find somebody by address, by telephone, or by name and birth date."""
    with refusals_explained():
        given = [(kind, value) for kind, value in (("email", email), ("telephone", telephone)) if value]
        if name and birth_date:
            given.append(("name_and_birth", name))
        if len(given) != 1:
            raise NotConfigured(reason="give --email, or --telephone, or --name and --birth-date")
        kind, value = given[0]
        told = _ask(folder, "find", by, purpose, "", kind=kind, value=value, birth_date=birth_date)
        show(told, as_json=as_json)


@person.command("join")
def join(
    folder: Folder,
    group: Annotated[str, typer.Argument(help="the household's or group's id")],
    member: Annotated[str, typer.Argument(help="the person's id")],
    by: By,
    leave: Annotated[bool, typer.Option(help="does not belong to it any more")] = False,
    purpose: Why = ASKED,
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Enter somebody as a member of a household or group, or end it."""
    with refusals_explained():
        told = _ask(folder, "join", by, purpose, id_, group=group, member=member, is_member=not leave)
        show(told, as_json=as_json)


@person.command("log")
def log(folder: Folder, person: Person, by: By, purpose: Why = ASKED, as_json: AsJson = False) -> None:
    """Show who read or changed a record, when, for which purpose."""
    with refusals_explained():
        show(_ask(folder, "log", by, purpose, "", person=person), as_json=as_json, title="journal")


@person.command("export")
def export(
    folder: Folder,
    person: Person,
    by: By,
    out: Annotated[Path, typer.Option(help="the zip that is written, for its owner's eyes alone")],
    purpose: Why = ASKED,
    as_json: AsJson = False,
) -> None:
    """Write everything about a person into a zip: JSON, CSV, and what the accounts say of the accounts."""
    with refusals_explained():
        told = _ask(folder, "export", by, purpose, "", person=person)
        write_private(out, base64.b64decode(told["zip"]))
        tables = {name: len(rows) for name, rows in told["export"].items() if isinstance(rows, list)}
        show({"file": str(out), "accounts_answered": told["accounts_answered"], **tables}, as_json=as_json)


# ---------------------------------------------------------------- accounts


@account.command("open")
def open_account(
    folder: Folder, person: Person, by: By, purpose: Why = "enrolment", id_: IdOption = "", as_json: AsJson = False
) -> None:
    """Ask the accounts for an account: they learn that somebody wants one, and not who."""
    with refusals_explained():
        show(_ask(folder, "open", by, purpose, id_, person=person), as_json=as_json)


@account.command("link")
def link_account(
    folder: Folder,
    person: Person,
    number: Annotated[str, typer.Argument(help="an account that is open already")],
    by: By,
    purpose: Why = "enrolment",
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Say whose an account is that is open already."""
    with refusals_explained():
        show(_ask(folder, "link", by, purpose, id_, person=person, account=number), as_json=as_json)


# ---------------------------------------------------------------- consent


@consent.command("give")
def give_consent(
    folder: Folder,
    person: Person,
    about: Annotated[str, typer.Argument(help="account, news, statistics, volunteering or shown_name")],
    by: By,
    purpose: Why = ASKED,
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Note that somebody agrees to the newest text."""
    with refusals_explained():
        told = _ask(folder, "consent", by, purpose, id_, person=person, about=about, is_given=True)
        show(told, as_json=as_json)


@consent.command("withdraw")
def withdraw_consent(
    folder: Folder,
    person: Person,
    about: str,
    by: By,
    purpose: Why = ASKED,
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Note that somebody takes a consent back."""
    with refusals_explained():
        told = _ask(folder, "consent", by, purpose, id_, person=person, about=about, is_given=False)
        show(told, as_json=as_json)


@consent.command("texts")
def list_texts(folder: Folder, as_json: AsJson = False) -> None:
    """List all versions of all texts."""
    with refusals_explained():
        show(_call(folder, "texts"), as_json=as_json, title="texts")


# ---------------------------------------------------------------- four eyes


Word = Annotated[
    str, typer.Option(help="as in that base's `key new --officer`: a function or a pseudonym, never a name")
]
SigningKey = Annotated[str, typer.Option(help="the name of the key that he signs with there: 16 hexadecimal digits")]


@proposal.command("role")
def propose_role(
    folder: Folder,
    person: Person,
    duty: Annotated[str, typer.Argument(help="treasurer, signatory, committee_secretary, moderator, auditor, …")],
    base: Annotated[str, typer.Argument(help="accounts, fund, partners, projects or people")],
    by: By,
    from_day: Annotated[str, typer.Option(help="yyyy-mm-dd")],
    until_day: Annotated[str, typer.Option(help="its last day; empty: none was set")] = "",
    word: Word = "",
    key: SigningKey = "",
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Propose that somebody gets a duty at a base; by word and key his keys there end with it."""
    with refusals_explained():
        body = {"base": base.upper(), "duty": duty, "from_day": from_day, "until_day": until_day}
        body |= {name: value for name, value in (("word", word), ("key", key)) if value}
        told = _ask(folder, "propose", by, GOVERNED, id_, kind="grant_role", person=person, body=body)
        show(told, as_json=as_json)


@proposal.command("name-role")
def propose_name(
    folder: Folder,
    role: Annotated[str, typer.Argument(help="the role's id: `node people roles`")],
    person: Annotated[str, typer.Argument(help="whose role it is")],
    by: By,
    word: Word = "",
    key: SigningKey = "",
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Propose by which word its base knows an officer; neither: it knows none. Of a duty that is over, it is told anew."""
    with refusals_explained():
        body = {"role": role, "word": word, "key": key}
        told = _ask(folder, "propose", by, GOVERNED, id_, kind="name_role", person=person, body=body)
        show(told, as_json=as_json)


@proposal.command("end-role")
def propose_end(
    folder: Folder,
    role: Annotated[str, typer.Argument(help="the role's id: `node people roles`")],
    person: Annotated[str, typer.Argument(help="whose role it is")],
    by: By,
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Propose that somebody's duty ends."""
    with refusals_explained():
        told = _ask(folder, "propose", by, GOVERNED, id_, kind="end_role", person=person, body={"role": role})
        show(told, as_json=as_json)


@proposal.command("text")
def propose_text(
    folder: Folder,
    about: Annotated[str, typer.Argument(help="account, news, statistics, volunteering or shown_name")],
    french: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="a file of text")],
    english: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="a file of text")],
    by: By,
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Propose a text to be agreed to, in both languages."""
    with refusals_explained():
        body = {"purpose": about, "french": french.read_text("utf-8"), "english": english.read_text("utf-8")}
        show(_ask(folder, "propose", by, GOVERNED, id_, kind="publish_text", body=body), as_json=as_json)


@proposal.command("rule")
def propose_rule(
    folder: Folder,
    rule: Annotated[str, typer.Argument(help="rights_after_death, rights_after_dormancy or reversible_days")],
    value: Annotated[str, typer.Argument(help="stays or pool:NUMBER; days")],
    by: By,
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Propose another value of a rule."""
    with refusals_explained():
        body = {"rule": rule, "value": value}
        show(_ask(folder, "propose", by, GOVERNED, id_, kind="set_rule", body=body), as_json=as_json)


@proposal.command("decide")
def decide(
    folder: Folder,
    proposal: Annotated[str, typer.Argument(help="its id")],
    decision: Annotated[str, typer.Argument(help="approve, reject or withdraw")],
    by: By,
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Decide a proposal of another; or withdraw your own."""
    with refusals_explained():
        told = _ask(folder, "decide", by, GOVERNED, id_, proposal=proposal, decision=decision)
        show(told, as_json=as_json)


@proposal.command("list")
def list_proposals(
    folder: Folder,
    by: By,
    everything: Annotated[bool, typer.Option("--all", help="those that are decided too")] = False,
    as_json: AsJson = False,
) -> None:
    """List proposals that wait. The journal says who looked."""
    with refusals_explained():
        show(_ask(folder, "proposals", by, GOVERNED, "", all=everything), as_json=as_json, title="proposals")


@app.command("roles")
def list_roles(folder: Folder, as_json: AsJson = False) -> None:
    """List who has which duty at which base."""
    with refusals_explained():
        show(_call(folder, "roles"), as_json=as_json, title="roles")


@app.command("rules")
def list_rules(folder: Folder, as_json: AsJson = False) -> None:
    """Show the rules that are in force."""
    with refusals_explained():
        show(_call(folder, "rules"), as_json=as_json, title="rules")


# ---------------------------------------------------------------- declarations, delegations


@declaration.command("make")
def declare(
    folder: Folder,
    person: Person,
    kind: Annotated[str, typer.Argument(help="death or dormancy")],
    by: By,
    on: Annotated[str, typer.Option(help="since when, yyyy-mm-dd")],
    purpose: Why = "legal_duty",
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Declare a death or a dormancy. It can be taken back within the term; heirs inherit no right."""
    with refusals_explained():
        show(_ask(folder, "declare", by, purpose, id_, person=person, kind=kind, on=on), as_json=as_json)


@declaration.command("reverse")
def reverse(
    folder: Folder, declaration: str, by: By, purpose: Why = ASKED, id_: IdOption = "", as_json: AsJson = False
) -> None:
    """Take a declaration back, while its term runs."""
    with refusals_explained():
        show(_ask(folder, "reverse", by, purpose, id_, declaration=declaration), as_json=as_json)


@declaration.command("list")
def list_declarations(folder: Folder, by: By, purpose: Why = "legal_duty", as_json: AsJson = False) -> None:
    """List declarations. The journal says who looked."""
    with refusals_explained():
        show(_ask(folder, "declarations", by, purpose, ""), as_json=as_json, title="declarations")


@delegation.command("make")
def delegate(
    folder: Folder,
    person: Person,
    delegate: Annotated[str, typer.Argument(help="who may act for this person")],
    powers: Annotated[str, typer.Argument(help="read,rectify,orient,cede")],
    by: By,
    from_day: Annotated[str, typer.Option(help="yyyy-mm-dd")],
    until_day: Annotated[str, typer.Option(help="yyyy-mm-dd, three years at most")],
    purpose: Why = ASKED,
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Let somebody act for another."""
    with refusals_explained():
        days = {"from_day": from_day, "until_day": until_day}
        told = _ask(folder, "delegate", by, purpose, id_, person=person, delegate=delegate, powers=powers, **days)
        show(told, as_json=as_json)


@delegation.command("revoke")
def revoke_delegation(
    folder: Folder,
    person: Person,
    delegation: str,
    by: By,
    purpose: Why = ASKED,
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """End a delegation from today on."""
    with refusals_explained():
        show(_ask(folder, "undelegate", by, purpose, id_, person=person, what=delegation), as_json=as_json)


# ---------------------------------------------------------------- identities and cards


@identity.command("passkey")
def enrol_passkey(
    folder: Folder,
    person: Person,
    by: By,
    credential: Annotated[str, typer.Option(help="the credential's id, hexadecimal")],
    public_key: Annotated[str, typer.Option(help="its COSE key, hexadecimal")],
    purpose: Why = ASKED,
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Let a passkey sign in as a person."""
    with refusals_explained():
        given = {"kind": "passkey", "credential": credential, "public_key": public_key}
        show(_ask(folder, "enrol", by, purpose, id_, person=person, **given), as_json=as_json)


@identity.command("oidc")
def enrol_oidc(
    folder: Folder,
    person: Person,
    by: By,
    issuer: Annotated[str, typer.Option(help="https://…")],
    subject: Annotated[str, typer.Option(help="who it is there (sub)")],
    purpose: Why = ASKED,
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Let an account elsewhere (OIDC) sign in as a person."""
    with refusals_explained():
        given = {"kind": "oidc", "issuer": issuer, "subject": subject}
        show(_ask(folder, "enrol", by, purpose, id_, person=person, **given), as_json=as_json)


@identity.command("paper")
def enrol_paper(
    folder: Folder, person: Person, by: By, purpose: Why = ASKED, id_: IdOption = "", as_json: AsJson = False
) -> None:
    """Let a code on paper sign in as a person. It is shown once."""
    with refusals_explained():
        show(_ask(folder, "enrol_paper", by, purpose, id_, person=person), as_json=as_json)


@identity.command("list")
def list_identities(folder: Folder, person: Person, by: By, purpose: Why = ASKED, as_json: AsJson = False) -> None:
    """List by what somebody signs in."""
    with refusals_explained():
        show(_ask(folder, "identities", by, purpose, "", person=person), as_json=as_json, title="identities")


@identity.command("revoke")
def revoke_identity(
    folder: Folder,
    person: Person,
    identity: str,
    by: By,
    purpose: Why = ASKED,
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """End an identity: it signs in no more."""
    with refusals_explained():
        show(_ask(folder, "revoke_identity", by, purpose, id_, person=person, what=identity), as_json=as_json)


def _typed_code(code: str) -> str:
    """Return the code, read from the terminal where it is not given: it should stand in no history of a shell."""
    return code or (typer.prompt("code", hide_input=True) if sys.stdin.isatty() else sys.stdin.readline())


@identity.command("verify")
def verify(
    folder: Folder,
    by: By,
    code: Annotated[str, typer.Argument(help="asked where it is not given")] = "",
    purpose: Why = ASKED,
    as_json: AsJson = False,
) -> None:
    """Verify a code on paper. A wrong one costs one of a few attempts. Whose card it is sees who tried."""
    with refusals_explained():
        show(_ask(folder, "verify", by, purpose, "", code=_typed_code(code)), as_json=as_json)


@card.command("stock")
def stock(
    folder: Folder,
    count: Annotated[int, typer.Argument(help="how many free accounts to open in advance")],
    by: By,
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Open free accounts in advance, for cards."""
    with refusals_explained():
        show(_ask(folder, "stock", by, "solidarity", id_, count=count), as_json=as_json)


@card.command("print")
def print_cards(
    folder: Folder,
    count: int,
    by: By,
    out: Annotated[Path, typer.Option(help="the .pdf or .txt that is written; the codes stand nowhere else")],
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Print cards, all alike: the social services hand them out, and nothing says to whom."""
    with refusals_explained():
        kind = "pdf" if out.suffix.lower() == ".pdf" else "text"
        told = _ask(folder, "print", by, "solidarity", id_, count=count, format=kind)
        if told["printed"]:
            write_private(out, base64.b64decode(told["file"]))
        written = str(out) if told["printed"] else ""
        show({"cards": told["cards"], "printed": told["printed"], "file": written}, as_json=as_json)


@card.command("claim")
def claim(
    folder: Folder,
    person: Person,
    by: By,
    code: Annotated[str, typer.Option(help="asked where it is not given")] = "",
    purpose: Why = ASKED,
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Make the account of a card a person's: whoever holds it chose to say who he is."""
    with refusals_explained():
        told = _ask(folder, "claim", by, purpose, id_, person=person, code=_typed_code(code))
        show(told, as_json=as_json)


# ---------------------------------------------------------------- erasure


@erasure.command("ask")
def erase(
    folder: Folder,
    person: Person,
    by: By,
    into: Into = "",
    purpose: Why = ASKED,
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Forget somebody: at once, or when what is on its way has arrived. `erasure show` tells."""
    with refusals_explained():
        show(_ask(folder, "erase", by, purpose, id_, person=person, into=into), as_json=as_json)


@erasure.command("move")
def move_rights(
    folder: Folder, erasure: str, by: By, into: Into, purpose: Why = ASKED, id_: IdOption = "", as_json: AsJson = False
) -> None:
    """Say where the rights go, as the person decides."""
    with refusals_explained():
        told = _ask(folder, "change_erasure", by, purpose, id_, erasure=erasure, into=into, is_cancelled=False)
        show(told, as_json=as_json)


@erasure.command("cancel")
def cancel_erasure(
    folder: Folder, erasure: str, by: By, purpose: Why = ASKED, id_: IdOption = "", as_json: AsJson = False
) -> None:
    """Take the request back, while it waits. What is closed stays closed."""
    with refusals_explained():
        told = _ask(folder, "change_erasure", by, purpose, id_, erasure=erasure, is_cancelled=True)
        show(told, as_json=as_json)


@erasure.command("show")
def show_erasure(folder: Folder, erasure: str, by: By, purpose: Why = ASKED, as_json: AsJson = False) -> None:
    """Show where an erasure stands, and the letter once it is done."""
    with refusals_explained():
        told = _ask(folder, "erasure", by, purpose, "", erasure=erasure)
        if as_json:
            show(told, as_json=True)
            return
        letter = told.get("letter_fr" if choose_language() == "fr" else "letter_en", "")
        show({name: told[name] for name in ("erasure", "state", "asked_on", "ended_on")}, as_json=False)
        for line in letter.splitlines():
            say(line)


@erasure.command("continue")
def continue_erasures(folder: Folder, as_json: AsJson = False) -> None:
    """Ask the accounts again now, and apply rules whose term is over, instead of within a quarter of an hour."""
    with refusals_explained():
        show(_call(folder, "catch_up"), as_json=as_json)


# ---------------------------------------------------------------- what an old copy lacked


@lost.command("list")
def list_lost(
    folder: Folder,
    by: By,
    everything: Annotated[bool, typer.Option("--all", help="also what somebody saw to")] = False,
    as_json: AsJson = False,
) -> None:
    """List what a base that came back from an old copy does not know: whose accounts these are, what was asked since."""
    with refusals_explained():
        rows = _ask(folder, "lost", by, "security", "", all=everything)
        show(rows, as_json=as_json, title="lost")
        for kind in () if as_json else dict.fromkeys(row["kind"] for row in rows):
            say(f"{kind}: {explain_lost(kind, choose_language())}")


@lost.command("settle")
def settle_lost(
    folder: Folder,
    lost: Annotated[str, typer.Argument(help="its id: `lost list`")],
    by: By,
    purpose: Why = GOVERNED,
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Say that you saw to it. An account that is linked again is settled by itself."""
    with refusals_explained():
        show(_ask(folder, "settle_lost", by, purpose, id_, lost=lost), as_json=as_json)


# ---------------------------------------------------------------- keys and copies


@key.command("rotate")
def rotate(
    folder: Folder,
    by: By,
    forget: Annotated[
        bool, typer.Option(help="delete the older key files: older copies of the base open no more")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make a new base key, and wrap every data key under it. Interrupted, it is run again."""
    with refusals_explained():
        show(_call(folder, "rotate", by=by, forget=forget), as_json=as_json)


@app.command()
def backup(folder: Folder, file: Path) -> None:
    """Copy the people's base to FILE, beside the running base."""
    from node.house_part_app import database_of
    from node.people_app import load_people_settings
    from protocol.book.backup_service import back_up

    with refusals_explained(), progress("backup") as say_done:
        settings = load_people_settings(base_folder(folder, BaseName.PEOPLE))
        url = database_of(folder, BaseName.PEOPLE, settings.database)
        size = back_up(url, file, lambda done, pages: say_done(f"{done} of {pages} pages"))
    say(f"{file}: {size} bytes. Keep it away from this machine, and the folder keys somewhere else again")
