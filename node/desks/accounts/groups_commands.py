"""`citizen-miles node group …`: groups whose account is moved by a guide alone, as long as they consent.

A guide signs with his own key, at his own place; the line that it shows is handed in here, by a portal or by hand.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from node.desks.accounts.call_commands import Folder, call_accounts
from node.files_commands import hash_file, own_keys
from node.guides.acts import (
    ACT_BYTES_MAX,
    ACT_VERSION,
    Act,
    ActWords,
    CedeAct,
    OrientAct,
    RecallAct,
    TakeBackAct,
    read_act,
    sign_act,
    write_act,
    write_signed_act,
)
from node.options_commands import AsJson, CentsOption, EurosOption, IdOption, InFile, Keys, id_or_new
from protocol.errors import Malformed
from protocol.identifiers import parse_id
from protocol.running import clock_service
from protocol.running.console_commands import read_cents, refusals_explained, show
from protocol.running.settings import NotConfigured
from protocol.times import DAY_MS

app = typer.Typer(no_args_is_help=True, help="Groups with an accredited guide: members, consent, signed acts.")
sign = typer.Typer(no_args_is_help=True, help="What a guide signs with his own key. Needs no base.")
app.add_typer(sign, name="sign")

Group = Annotated[str, typer.Argument(help="the group's account")]
Guide = Annotated[str, typer.Option(help="the accreditation's id (`projects guide list`)")]
Territory = Annotated[str, typer.Option(help="the territory of the group's account")]
Days = Annotated[int, typer.Option(help="for how many days, today included")]
ValidDays = Annotated[int, typer.Option("--valid-days", help="until when the line may be handed in")]
OutFile = Annotated[Path | None, typer.Option("--out", help="write the line there")]


@app.command("declare")
def declare(folder: Folder, account: Group, id_: IdOption = "", as_json: AsJson = False) -> None:
    """Let a group's account be moved by a guide alone, from now on. It is never undone."""
    with refusals_explained():
        show(call_accounts(folder, "group_declare", id=id_or_new(id_), account=account), as_json=as_json)


@app.command("join")
def join(folder: Folder, account: Group, member: str, id_: IdOption = "", as_json: AsJson = False) -> None:
    """Enter a member, by account number."""
    with refusals_explained():
        show(call_accounts(folder, "group_join", id=id_or_new(id_), account=account, member=member), as_json=as_json)


@app.command("leave")
def leave(folder: Folder, account: Group, member: str, as_json: AsJson = False) -> None:
    """Let a member go: his consent counts no more."""
    with refusals_explained():
        show(call_accounts(folder, "group_leave", account=account, member=member), as_json=as_json)


@app.command("consent")
def consent(
    folder: Folder, account: Group, member: str, guide: Guide, days: Days, id_: IdOption = "", as_json: AsJson = False
) -> None:
    """Note that a member consents to a guide, for so many days from today."""
    with refusals_explained():
        told = call_accounts(
            folder, "group_consent", id=id_or_new(id_), account=account, member=member, guide=guide, days=days
        )
        show(told, as_json=as_json)


@app.command("mandate")
def mandate(
    folder: Folder, account: Group, file: InFile, guide: Guide, days: Days, id_: IdOption = "", as_json: AsJson = False
) -> None:
    """Keep the digest of a paper by which the whole group consents. The paper stays with you."""
    with refusals_explained():
        told = call_accounts(
            folder,
            "group_consent",
            id=id_or_new(id_),
            account=account,
            guide=guide,
            days=days,
            sha256=hash_file(file),
        )
        show(told, as_json=as_json)


@app.command("withdraw")
def withdraw(folder: Folder, account: Group, consent_id: str, as_json: AsJson = False) -> None:
    """Withdraw a consent or a paper, from the next act on."""
    with refusals_explained():
        show(call_accounts(folder, "group_withdraw", account=account, consent=consent_id), as_json=as_json)


@app.command("show")
def show_group(folder: Folder, account: Group, as_json: AsJson = False) -> None:
    """Show a group: members, consents, which guides may act today or why not, and what they did."""
    with refusals_explained():
        told = call_accounts(folder, "group_show", account=account)
        if as_json:
            show(told, as_json=True)
            return
        lists = {name: told.pop(name) for name in ("guides", "consents", "acts")}
        told["member_accounts"] = " ".join(told["member_accounts"])
        show(told, as_json=False)
        for name, rows in lists.items():
            show(rows, as_json=False, title=name)


@app.command("act")
def act(
    folder: Folder,
    file: Annotated[Path, typer.Argument(help="what `group sign … --out` wrote", exists=True, dir_okay=False)],
    as_json: AsJson = False,
) -> None:
    """Do what a guide signed, if he is one today and the group consents today."""
    with refusals_explained():
        if file.stat().st_size > 3 * ACT_BYTES_MAX:
            raise NotConfigured(reason=f"{file.name} is larger than {3 * ACT_BYTES_MAX} bytes")
        line = file.read_text(encoding="utf-8", errors="replace")
        show(call_accounts(folder, "group_act", signed=line), as_json=as_json)


# ---------------------------------------------------------------- what a guide signs


def _sign(
    account: str,
    guide: str,
    territory: str,
    doing: Act,
    keys: Path,
    days: int,
    id_: str,
    out: Path | None,
    as_json: bool,
) -> None:
    own = id_or_new(id_)
    until = clock_service.now() + days * DAY_MS
    words = ActWords(ACT_VERSION, territory, parse_id(own), parse_id(guide), account, until, doing)
    read_act(write_act(words))
    line = write_signed_act(sign_act(words, own_keys(keys)))
    if out is not None:
        out.write_text(line + "\n", encoding="utf-8")
    show({"id": own, "signed": line}, as_json=as_json)


def _read_choice(text: str) -> tuple[str, int]:
    """Return the project and the cents of PROJECT=CENTS; 0 for what is left. Raises Malformed."""
    to, equals, cents = text.partition("=")
    if equals and not (cents.isascii() and cents.isdigit() and len(cents) <= 16):
        raise Malformed(field="choice", reason=f"{text[:60]} is not PROJECT=CENTS")
    return to, int(cents) if equals else 0


@sign.command("orient")
def sign_orient(
    account: Group,
    choices: Annotated[list[str], typer.Argument(help="PROJECT=CENTS, in order; PROJECT alone gets what is left")],
    guide: Guide,
    territory: Territory,
    keys: Keys,
    overflow: Annotated[str, typer.Option(help="what a full project does not take: next or back")] = "back",
    valid_days: ValidDays = 7,
    out: OutFile = None,
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Direct the group's rights to projects."""
    with refusals_explained():
        read = [_read_choice(one) for one in choices]
        doing = OrientAct(tuple(to for to, _ in read), tuple(cents for _, cents in read), overflow)
        _sign(account, guide, territory, doing, keys, valid_days, id_, out, as_json)


@sign.command("cede")
def sign_cede(
    account: Group,
    to: Annotated[str, typer.Argument(help="the address that receives, XXXX-XXXX-C@TERRITORY")],
    guide: Guide,
    territory: Territory,
    keys: Keys,
    cents: CentsOption = None,
    euros: EurosOption = "",
    words: Annotated[str, typer.Option(help="a word to the beneficiary")] = "",
    valid_days: ValidDays = 7,
    out: OutFile = None,
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Cede the group's rights to another account, here or far."""
    with refusals_explained():
        doing = CedeAct(to, read_cents(cents, euros), words)
        _sign(account, guide, territory, doing, keys, valid_days, id_, out, as_json)


@sign.command("take-back")
def sign_take_back(
    account: Group,
    orientation: str,
    guide: Guide,
    territory: Territory,
    keys: Keys,
    cents: CentsOption = None,
    valid_days: ValidDays = 7,
    out: OutFile = None,
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Take back what was directed to a project of this territory."""
    with refusals_explained():
        doing = TakeBackAct(parse_id(orientation), cents or 0)
        _sign(account, guide, territory, doing, keys, valid_days, id_, out, as_json)


@sign.command("recall")
def sign_recall(
    account: Group,
    cession: str,
    guide: Guide,
    territory: Territory,
    keys: Keys,
    valid_days: ValidDays = 7,
    out: OutFile = None,
    id_: IdOption = "",
    as_json: AsJson = False,
) -> None:
    """Ask that a cession be stopped before it is handed over."""
    with refusals_explained():
        _sign(account, guide, territory, RecallAct(parse_id(cession)), keys, valid_days, id_, out, as_json)
