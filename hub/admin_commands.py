"""What the operator's commands do in the process that holds the hub's book. `commands` is their line, which may run elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from hub.app import HubApp
from hub.catalogue_commands import CATALOGUE_COMMANDS
from hub.directory.service import Accredit, ChangeRefused, Invite
from hub.windows_commands import WINDOW_COMMANDS
from protocol.amounts import require_balance
from protocol.canonical import encode_typed
from protocol.directory import Change, KeyAdded, KeyRetired, LimitsSet, Member, Reinstated, Suspended
from protocol.errors import InvalidId
from protocol.exchange.epochs import LEAP_BYTES
from protocol.exchange.evidence_service import SayEvidenceSeen, say_seen
from protocol.exchange.evidence_store import load_evidence
from protocol.identifiers import require_territory
from protocol.keys import KEY_ID_BYTES, Keyring
from protocol.running import clock_service
from protocol.running.admin_client import Command
from protocol.running.invitations import Invitation, compute_fingerprint, format_invitation
from protocol.running.keys_store import create_keys, find_passphrase, set_current
from protocol.times import format_instant


async def _invite(hub: HubApp, asked: Mapping[str, Any]) -> Any:
    own = hub.identity.keyring.current.public
    invitation = Invitation(
        hub.identity.network,
        hub.identity.code,
        compute_fingerprint(own.signing, own.sealing),
        require_territory(asked["member"]),
        clock_service.entropy(16),
        asked.get("url") or hub.config.url,
    )
    text = format_invitation(invitation)
    ends = await hub.book.write(hub.registry.invite, Invite(invitation.member, invitation.token))
    return {"member": invitation.member, "invitation": text, "ends": format_instant(ends)}


async def _accredit(hub: HubApp, asked: Mapping[str, Any]) -> Any:
    member = await hub.book.write(
        hub.registry.accredit, Accredit(asked["member"], asked.get("sponsor", ""), asked.get("guide", ""))
    )
    hub.exchange.wake_all()
    return _row(member)


async def _change(hub: HubApp, asked: Mapping[str, Any]) -> Any:
    member = await hub.book.write(hub.registry.change, _read_change(hub, asked))
    hub.exchange.wake_all()
    return _row(member)


def _read_change(hub: HubApp, asked: Mapping[str, Any]) -> Change:
    """Return the directory change that is asked for. Raises Malformed, UnknownMember, ChangeRefused."""
    name = asked["member"]
    match asked["kind"]:
        case "limits":
            before = hub.registry.directory.require(name).limits
            return LimitsSet(
                name,
                _ceiling(asked["abroad"], before.abroad_max),
                _ceiling(asked["message"], before.message_max),
                _ceiling(asked["day"], before.day_max),
            )
        case "suspend":
            return Suspended(name, asked["reason"])
        case "reinstate":
            return Reinstated(name)
    key, since = _read_key(asked["key"]), asked["since"]
    if name == hub.identity.code and key == hub.identity.keyring.current.public.id:
        raise ChangeRefused(member=name, reason="these keys sign now: make others first, with rotate-key")
    return KeyRetired(name, key, since is not None, 0 if since is None else require_balance(since))


def _ceiling(asked: int | None, before: int) -> int:
    """Return the new ceiling, or the one before where none is given. Raises InvalidAmount."""
    return before if asked is None else require_balance(asked)


def _read_key(text: str) -> bytes:
    """Return the id of a key. Raises InvalidId."""
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != KEY_ID_BYTES:
        raise InvalidId(id=text[:80], reason=f"the id of a key is {2 * KEY_ID_BYTES} hexadecimal symbols")
    return key


async def _members(hub: HubApp, _asked: Mapping[str, Any]) -> Any:
    called = hub.exchange.called_at()
    return [
        _row(member) | {"called": format_instant(called[member.code]) if member.code in called else ""}
        for member in sorted(hub.registry.directory.members.values(), key=lambda one: one.code)
    ]


def _row(member: Member) -> dict[str, Any]:
    return {
        "member": member.code,
        "name": member.name,
        "kind": str(member.kind),
        "status": str(member.status),
        "sponsor": member.sponsor,
        "guide": member.guide,
        "abroad_max_cents": member.limits.abroad_max,
        "message_max_cents": member.limits.message_max,
        "day_max_cents": member.limits.day_max,
        "keys": ", ".join(key.id.hex() for key in member.keys),
        "reason": member.reason,
    }


async def _answer_file(hub: HubApp, asked: Mapping[str, Any]) -> Any:
    answer = await hub.exchange.answer(bytes.fromhex(asked["envelope"]))
    return {"envelope": answer.hex()}


async def _answer_enrolment(hub: HubApp, asked: Mapping[str, Any]) -> Any:
    welcome = await hub.book.write(hub.registry.enrol, bytes.fromhex(asked["enrolment"]))
    return {"welcome": encode_typed(welcome).hex()}


async def _rotate(hub: HubApp, _asked: Mapping[str, Any]) -> Any:
    passphrase = find_passphrase(hub.config.passphrase_file)
    secret = create_keys(hub.folder / "keys", passphrase, clock_service.entropy(64))
    await hub.book.write(hub.registry.change, KeyAdded(hub.identity.code, secret.public.signing, secret.public.sealing))
    set_current(hub.folder / "keys", secret)
    older = (hub.identity.keyring.current, *hub.identity.keyring.older)
    hub.identity = replace(hub.identity, keyring=Keyring(secret, older))
    hub.registry.identity = hub.identity
    hub.exchange.use_identity(hub.identity)
    hub.exchange.wake_all()
    return {"key": secret.public.id.hex(), "signing_key": secret.public.signing.hex()}


async def _status(hub: HubApp, _asked: Mapping[str, Any]) -> Any:
    signed = await hub.book.read(hub.exchange.sign_checkpoint)
    pages, items = hub.book.written
    own = hub.identity.keyring.current.public
    return {
        "network": hub.identity.network,
        "hub": hub.identity.code,
        "signing_key": own.signing.hex(),
        "members": len(hub.registry.directory.members),
        "directory_entries": hub.registry.directory.size,
        "checkpoint": signed.signature.hex()[:16],
        "pages_written": pages,
        "items_written": items,
        "storage_trouble": hub.book.trouble,
        "events": dict(hub.exchange.sequencer.counts),
    }


async def _recover(hub: HubApp, _asked: Mapping[str, Any]) -> Any:
    await hub.exchange.begin_recovery(clock_service.entropy(LEAP_BYTES))
    return _tell_recovery(hub)


async def _recovery(hub: HubApp, _asked: Mapping[str, Any]) -> Any:
    return _tell_recovery(hub)


async def _finish_recovery(hub: HubApp, asked: Mapping[str, Any]) -> Any:
    retaken = await hub.exchange.finish_recovery(asked["without"])
    return {"slips_taken_again": retaken}


def _tell_recovery(hub: HubApp) -> dict[str, Any]:
    recovery = hub.exchange.recovery
    return {
        "phase": "none" if recovery is None else "collecting",
        "epoch": None if recovery is None else recovery.epoch,
        "members": 0 if recovery is None else len(recovery.members),
        "given_back": 0 if recovery is None else len(recovery.members) - len(recovery.waiting),
        "waiting_for": "" if recovery is None else ", ".join(recovery.waiting),
    }


def _unless_recovering(command: Command) -> Command:
    async def run(hub: HubApp, asked: Mapping[str, Any]) -> Any:
        hub.exchange.require_running()
        return await command(hub, asked)

    return run


async def _say_evidence_seen(hub: HubApp, asked: Mapping[str, Any]) -> Any:
    number = await hub.book.write(say_seen, SayEvidenceSeen(asked["number"], asked["reason"]))
    rows = await hub.book.read(load_evidence)
    return next(row for row in rows if row["id"] == number)


COMMANDS: Final[Mapping[str, Command]] = {
    "evidence_seen": _say_evidence_seen,
    "invite": _unless_recovering(_invite),
    "accredit": _unless_recovering(_accredit),
    "change": _unless_recovering(_change),
    "members": _members,
    "answer": _answer_file,
    "enrol": _unless_recovering(_answer_enrolment),
    "rotate": _unless_recovering(_rotate),
    "status": _status,
    **CATALOGUE_COMMANDS,
    "catalogue_import": _unless_recovering(CATALOGUE_COMMANDS["catalogue_import"]),
    "recover": _recover,
    "recovery": _recovery,
    "finish_recovery": _finish_recovery,
    **{name: _unless_recovering(command) for name, command in WINDOW_COMMANDS.items()},
}
