"""The hub over loopback, on SQLite and on PostgreSQL: enrolment, calls, long calls, bad calls, a storage that refuses."""

from __future__ import annotations

import asyncio
import io
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from hub import api
from hub.app import HubApp, load_config
from hub.reconciliation.checks import check_hub
from protocol.book.store import StorageUnavailable
from protocol.canonical import encode_typed
from protocol.directory import apply_entries
from protocol.envelopes import ENVELOPE_BYTES_MAX, SignedCheckpoint, open_checkpoint
from protocol.exchange.client import WAIT_HEADER
from protocol.running.http_service import STORAGE_TROUBLE
from tests.node.place import HubPlace
from tests.running.member import BREST, LYON, Member

# Calls that must be answered long before their time: nobody is so slow that it is over, and no speed is asserted.
LONG_MS = 99_000
SECRETS = ("Traceback", 'File "', "site-packages", "/pytest-", "sqlite", "psycopg")


@dataclass
class Caller:
    """A hub, and who calls it."""

    hub: HubPlace
    session: aiohttp.ClientSession

    async def post(self, path: str, body: Any, **headers: str) -> tuple[int, bytes, Any]:
        data = io.BytesIO(body) if isinstance(body, bytes) else body
        async with self.session.post(self.hub.url + path, data=data, headers=headers) as response:
            data = await response.read()
            if response.status != 200:
                for word in SECRETS:
                    assert word.encode() not in data, data
                assert set(json.loads(data)) == {"code", "facts", "explanation"}
            return response.status, data, response.headers

    async def get(self, path: str) -> tuple[int, Any]:
        async with self.session.get(self.hub.url + path) as response:
            text = await response.text()
            return response.status, json.loads(text) if "json" in response.content_type else text

    async def join(self, code: str = BREST, *, is_accredited: bool = True) -> Member:
        invitation = (await self.hub.admin("invite", member=code))["invitation"]
        member = Member(code)
        status, welcome, _ = await self.post("/v1/enrol", member.ask(invitation))
        assert status == 200
        member.take_welcome(welcome, invitation)
        if is_accredited:
            await self.hub.admin("accredit", member=code)
        return member

    async def exchange(self, member: Member, *, directory_size: int = 0, wait_ms: int = 0) -> Any:
        body = member.envelope(directory_size=directory_size)
        status, data, _ = await self.post("/v1/exchange", body, **{WAIT_HEADER: str(wait_ms)})
        assert status == 200, data
        return member.read_answer(data)


@pytest.fixture
async def caller(book_url: str, tmp_path: Path) -> AsyncIterator[Caller]:
    hub = await HubPlace.open(tmp_path / "hub", book_url)
    async with aiohttp.ClientSession() as session:
        yield Caller(hub, session)
    checked = hub.app.book.read_now(
        lambda connection: check_hub(connection, hub="HUB-FR", on_progress=lambda _where: None)
    )
    await hub.close()
    assert [finding for one in checked for finding in one.findings] == []


async def test_a_member_enrols_and_its_first_empty_call_brings_the_whole_directory(caller: Caller) -> None:
    member = await caller.join()
    statement, payload = await caller.exchange(member)
    assert (statement.log_size, statement.ack_size, statement.checkpoint is not None) == (0, 0, True)
    assert payload.directory is not None
    known = apply_entries(caller.hub.app.registry.directory.__class__(), payload.directory.entries)
    assert known.require(BREST).keys == (member.secret.public,)
    assert [one["member"] for one in (await caller.get("/v1/directory"))[1]["members"]] == [BREST, "HUB-FR"]
    # Who knows it all is told nothing again.
    assert (await caller.exchange(member, directory_size=known.size))[1].directory is None


async def test_the_checkpoint_that_everybody_may_read_is_signed(caller: Caller) -> None:
    member = await caller.join()
    assert member.welcome is not None
    told = (await caller.get("/v1/checkpoint"))[1]
    signed = SignedCheckpoint(*(bytes.fromhex(told[name]) for name in ("body", "key", "signature")))
    checkpoint = open_checkpoint(signed, member.welcome.signing)
    assert (checkpoint.hub, checkpoint.size, checkpoint.root.hex()) == ("HUB-FR", told["size"], told["root"])
    assert told["size"] == 3  # the hub, the member, its accreditation


async def test_the_same_enrolment_again_gives_the_same_welcome_and_nobody_elses(caller: Caller) -> None:
    invitation = (await caller.hub.admin("invite", member=BREST))["invitation"]
    member, thief = Member(), Member()
    body = member.ask(invitation)
    first = await caller.post("/v1/enrol", body)
    assert (await caller.post("/v1/enrol", body))[:2] == first[:2]
    status, told, _ = await caller.post("/v1/enrol", thief.ask(invitation))
    assert (status, json.loads(told)["facts"]) == (422, {"reason": "used"})
    assert len(caller.hub.app.registry.directory.members) == 2


@pytest.mark.parametrize("name", ["Brest\x1b[2J", "Brest\n", "\u202eBrest", "a\u2028b"])
async def test_a_name_that_a_screen_would_obey_is_no_name(caller: Caller, name: str) -> None:
    invitation = (await caller.hub.admin("invite", member=BREST))["invitation"]
    status, told, _ = await caller.post("/v1/enrol", Member().ask(invitation, name=name))
    assert (status, json.loads(told)["code"]) == (400, "invalid_text")
    assert caller.hub.app.registry.directory.find(BREST) is None
    assert (await caller.post("/v1/enrol", Member().ask(invitation, name="ශ්‍රී ලංකා")))[0] == 200


async def test_whatever_is_sent_is_one_refusal_and_changes_nothing(caller: Caller) -> None:
    member = await caller.join()
    await caller.exchange(member)
    pages = caller.hub.app.book.written[0]
    stranger, other_network = Member(LYON), Member(BREST, network="other", secret=member.secret)
    bodies = (
        b"",
        b"\x00",
        b"garbage",
        b"\x93",
        b"\xdd\xff\xff\xff\xff",
        b"[" * 100_000,
        member.envelope()[:-1],
        member.envelope() + b"\x00",
        stranger.envelope(),
        other_network.envelope(),
        Member().envelope(),  # the right name, other keys
    )
    for body in bodies:
        status, told, _ = await caller.post("/v1/exchange", body)
        assert (status, json.loads(told)["code"]) == (400, "bad_envelope"), body[:20]
        assert set(json.loads(told)["facts"]) == {"reason"}
    for body in bodies:
        status, told, _ = await caller.post("/v1/enrol", body)
        assert (status, json.loads(told)["code"]) == (422, "enrolment_refused"), body[:20]
    for wait in ("-1", "1.5", "25001", "99999999999", "soon", "²"):
        status, told, _ = await caller.post("/v1/exchange", member.envelope(), **{WAIT_HEADER: wait})
        assert (status, json.loads(told)["code"]) == (400, "invalid_time")
    assert caller.hub.app.registry.directory.size == 3
    await caller.exchange(member)
    assert caller.hub.app.book.written[0] <= pages + len(bodies)


async def test_too_large_a_body_is_refused_whether_it_says_so_or_not(caller: Caller) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(ENVELOPE_BYTES_MAX // (1024 * 1024) + 4):
            yield bytes(1024 * 1024)

    member = await caller.join()
    for body in (bytes(ENVELOPE_BYTES_MAX + 1), endless()):
        try:
            status, told, _ = await caller.post("/v1/exchange", body)
        except aiohttp.ClientError:
            continue  # the hub hung up while we still sent: as good
        assert (status, json.loads(told)["code"]) == (413, "too_large")
    await caller.exchange(member)


async def _wait_for_calls(caller: Caller, count: int) -> None:
    """Wait until so many calls of the member wait for an answer."""
    while caller.hub.app.exchange._line(BREST).waiting < count:  # noqa: ASYNC110 - nobody tells when it begins
        await asyncio.sleep(0.01)


async def test_a_long_call_is_answered_when_the_directory_changes(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "WAIT_MS_MAX", LONG_MS)
    member = await caller.join()
    size = caller.hub.app.registry.directory.size
    await caller.exchange(member, directory_size=size)
    waiting = asyncio.create_task(caller.exchange(member, directory_size=size, wait_ms=LONG_MS))
    began = time.monotonic()
    await _wait_for_calls(caller, 1)
    await caller.join(LYON)
    _, payload = await waiting
    assert payload.directory is not None
    assert time.monotonic() - began < LONG_MS / 1000


async def test_a_long_call_without_news_ends_at_its_time(caller: Caller) -> None:
    member = await caller.join()
    size = caller.hub.app.registry.directory.size
    await caller.exchange(member, directory_size=size)
    began = time.monotonic()
    _, payload = await caller.exchange(member, directory_size=size, wait_ms=300)
    assert (payload.directory, payload.slips) == (None, ())
    assert time.monotonic() - began >= 0.3


async def test_one_member_cannot_hold_every_line(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "WAIT_MS_MAX", LONG_MS)
    member = await caller.join()
    other = await caller.join(LYON)
    size = caller.hub.app.registry.directory.size
    await caller.exchange(member, directory_size=size)
    began = time.monotonic()
    held = [asyncio.create_task(caller.exchange(member, directory_size=size, wait_ms=LONG_MS)) for _ in range(8)]
    await _wait_for_calls(caller, 8)
    status, told, headers = await caller.post("/v1/exchange", member.envelope())
    assert (status, json.loads(told)["code"], "Retry-After" in headers) == (429, "too_many_calls", True)
    await caller.exchange(other)
    caller.hub.app.exchange.stop_waiting()
    await asyncio.gather(*held)
    assert time.monotonic() - began < LONG_MS / 1000


async def test_a_storage_that_refuses_is_red_and_says_no_address(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    member = await caller.join()

    def full(_writer: Any, _group: Any) -> Any:
        raise OSError(28, "No space left on device", "/pytest-secret/hub.db")

    monkeypatch.setattr(type(caller.hub.app.book._writer), "_try_page", full)
    status, told, headers = await caller.post("/v1/exchange", member.envelope())
    assert (status, json.loads(told)["code"], headers["Retry-After"]) == (503, "storage_unavailable", "2")
    assert json.loads(told)["facts"] == {"reason": STORAGE_TROUBLE}
    assert await caller.get("/readyz") == (503, {"ready": False, "reason": STORAGE_TROUBLE})
    assert (await caller.get("/healthz"))[0] == 200
    assert "citizen_miles_storage_trouble 1.0" in (await caller.get("/metrics"))[1]
    with pytest.raises(StorageUnavailable):
        await caller.hub.admin("accredit", member=BREST)
    await caller.hub.app._expire_quietly()
    assert (await caller.get("/readyz"))[0] == 503
    monkeypatch.undo()
    await caller.hub.app._expire_quietly()  # it looks whether the storage is back
    assert (await caller.get("/readyz"))[0] == 200
    await caller.exchange(member)


async def test_the_figures_say_what_happened(caller: Caller) -> None:
    member = await caller.join()
    await caller.exchange(member)
    await caller.post("/v1/exchange", b"garbage")
    text = (await caller.get("/metrics"))[1]
    for line in (
        "citizen_miles_members 2.0",
        "citizen_miles_storage_trouble 0.0",
        'citizen_miles_refusals_total{code="bad_envelope"} 1.0',
        "citizen_miles_incidents_total 0.0",
    ):
        assert line in text
    assert f'citizen_miles_member_called_at_ms{{member="{BREST}"}}' in text


async def test_nothing_due_writes_nothing(caller: Caller) -> None:
    before = caller.hub.app.book.written
    await caller.hub.app._expire_quietly()
    assert caller.hub.app.book.written == before


async def test_new_keys_of_the_hub_sign_and_survive_a_restart(caller: Caller) -> None:
    member = await caller.join()
    first = caller.hub.app.identity.keyring.current
    told = await caller.hub.admin("rotate")
    app = caller.hub.app
    assert app.identity.keyring.current.public.id.hex() == told["key"] != first.public.id.hex()
    # This member knows the keys of its welcome only, and is answered under them.
    statement, payload = await caller.exchange(member)
    assert statement.key == first.public.id
    assert payload.directory is not None
    checkpoint = (await caller.get("/v1/checkpoint"))[1]
    assert checkpoint["key"] == told["key"]
    await app.stop()
    again = HubApp(app.folder, load_config(app.folder))
    caller.hub.app = again
    await again.start_quietly()
    assert again.identity.keyring.current == app.identity.keyring.current
    assert first in again.identity.keyring.older
    assert encode_typed(again.registry.welcome()) != encode_typed(member.welcome)
