"""Keys, limits, suspension, terms, and what the hub says of a member."""

from __future__ import annotations

from dataclasses import replace

from protocol.directory import LimitsSet, MemberStatus, Reinstated, Suspended
from protocol.errors import Refusal
from protocol.keys import Keyring, make_keys
from tests.simulation.stage import HUB, Party, Stage


def rotate(stage: Stage) -> None:
    """A member makes new keys and announces them; they sign when the directory shows them."""
    party = stage.choose_present()
    if party is not None and len(party.node.federation.identity.keyring.older) <= 3:
        rotate_one(stage, party)


def rotate_one(stage: Stage, party: Party) -> None:
    identity = party.node.federation.identity
    fresh = make_keys(stage.world.entropy(64))
    ring = Keyring(identity.keyring.current, (fresh, *identity.keyring.older))
    party.node.federation.use_identity(replace(identity, keyring=ring))
    stage.ask(party.code, lambda: party.node.federation.announce_key, fresh)


def use_newest_key(party: Party) -> None:
    """Do what the node's application does whenever the directory may have changed."""
    federation = party.node.federation
    member, ring = federation.directory.find(party.code), federation.identity.keyring
    newest = None if member is None else ring.find(member.keys[-1].id)
    if newest is not None and newest != ring.current:
        older = tuple(keys for keys in (ring.current, *ring.older) if keys != newest)
        federation.use_identity(replace(federation.identity, keyring=Keyring(newest, older)))


def use_newest_keys(stage: Stage) -> None:
    for party in stage.parties.values():
        use_newest_key(party)


def limits(stage: Stage) -> None:
    if not stage.is_hub_recovering:
        change(stage, LimitsSet(stage.choose_party().node.code, 10**9, stage.dice.choice((300, 10**6)), 10**9))


def suspend(stage: Stage) -> None:
    """Suspend a member, or let it back in; never two at a time."""
    if stage.is_hub_recovering:
        return
    code, suspended = stage.choose_party().node.code, find_suspended(stage)
    if code in suspended:
        change(stage, Reinstated(code))
    elif not suspended:
        change(stage, Suspended(code, "simulated"))


def change(stage: Stage, what: LimitsSet | Suspended | Reinstated) -> None:
    """Write the directory; after a crash it may be written already, which is refused."""
    try:
        stage.ask(HUB, lambda: stage.world.registry.change, what)
    except Refusal as refusal:
        stage.tell(f"refused {refusal}"[:80])


def find_suspended(stage: Stage) -> list[str]:
    """Who is, by the hub's own directory: a restored hub may have forgotten what nobody had heard yet."""
    members = stage.world.registry.directory.members.values()
    return sorted(one.code for one in members if one.status is MemberStatus.SUSPENDED)


def expire(stage: Stage) -> None:
    if not stage.is_hub_recovering:
        stage.ask(HUB, lambda: stage.world.sequencer.expire, None)


def ask_statement(stage: Stage) -> None:
    party = stage.choose_present()
    if party is not None:
        stage.ask(party.code, lambda: party.node.federation.ask_statement, None)


ACTIONS = {expire: 2, ask_statement: 1, rotate: 0.7, limits: 0.5, suspend: 0.7, use_newest_keys: 1}
