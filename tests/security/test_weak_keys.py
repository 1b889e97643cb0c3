"""A key whose signatures prove nothing (of small order, not canonical, not a point) is announced by nobody."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, text

from hub.directory.service import Invite
from protocol.canonical import encode_typed
from protocol.directory import KeyAdded
from protocol.envelopes import Enrolment, SignedEnrolment
from protocol.keys import Domain, InvalidKey, make_keys, sign
from tests.federation.world import BREST, LYON, NETWORK, World

P = 2**255 - 19
WEAK_SIGNING = {
    "order 1": 1,
    "order 2": P - 1,
    "order 4": 0,
    "order 1, not canonical": P + 1,
    "order 4, not canonical": P,
    "order 1, with the sign of x": 1 + 2**255,
    "not on the curve": 2,
}
WEAK_SEALING = {"order 4": 0, "order 1": 1, "order 2": P - 1, "order 4, not canonical": P}
WEAK = [pytest.param("signing", value, id=f"signing {name}") for name, value in WEAK_SIGNING.items()] + [
    pytest.param("sealing", value, id=f"sealing {name}") for name, value in WEAK_SEALING.items()
]


def _read_entries(connection: Connection) -> list[tuple[object, ...]]:
    return [tuple(row) for row in connection.execute(text("SELECT * FROM entries ORDER BY number"))]


@pytest.mark.parametrize("world", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("column", "value"), WEAK)
def test_a_weak_key_is_refused_on_enrolment_and_when_a_key_is_added(world: World, column: str, value: int) -> None:
    world.join(BREST)
    before = world.hub_book.read_now(_read_entries)
    assert before
    secret, token = make_keys(world.entropy(64)), world.entropy(16)
    world.hub_book.write_now(world.registry.invite, Invite(LYON, token))
    keys = {"signing": secret.public.signing, "sealing": secret.public.sealing}
    keys[column] = value.to_bytes(32, "little")
    body = encode_typed(Enrolment(NETWORK, LYON, token, "Lyon", keys["signing"], keys["sealing"], 0))
    with pytest.raises(InvalidKey):
        world.hub_book.write_now(
            world.registry.enrol, encode_typed(SignedEnrolment(body, sign(secret, Domain.ENROLMENT, body)))
        )
    with pytest.raises(InvalidKey):
        world.change(KeyAdded(BREST, keys["signing"], keys["sealing"]))
    assert world.hub_book.read_now(_read_entries) == before
