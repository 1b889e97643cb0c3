"""Key files, invitations, settings, the admin channel: what every process stands on."""

from __future__ import annotations

import asyncio
import socket
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hub.config import HubConfig
from protocol.book.store import BookInUse
from protocol.errors import InvalidAmount
from protocol.running import admin_service
from protocol.running.admin_client import SOCKET_NAME, NoAnswer, Refused, call, call_running
from protocol.running.admin_service import AdminServer
from protocol.running.invitations import InvalidInvitation, Invitation, format_invitation, parse_invitation
from protocol.running.keys_store import KeysUnusable, create_keys, load_keyring, set_current
from protocol.running.logs_service import _hide_secrets
from protocol.running.settings import NotConfigured, format_settings, parse_listen, parse_settings

ENTROPY = bytes(range(64))


def test_key_files_are_their_owners_alone_and_give_the_same_keys_back(tmp_path: Path) -> None:
    made = create_keys(tmp_path / "keys", None, ENTROPY)
    file = tmp_path / "keys" / f"{made.public.id.hex()}.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert load_keyring(tmp_path / "keys", None).current == made
    assert ENTROPY[:32] not in file.read_bytes()


def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    made = create_keys(tmp_path, None, ENTROPY)
    (tmp_path / f"{made.public.id.hex()}.key").chmod(0o640)
    with pytest.raises(KeysUnusable, match="chmod 600"):
        load_keyring(tmp_path, None)


def test_a_passphrase_locks_the_keys_and_a_wrong_one_is_said(tmp_path: Path) -> None:
    made = create_keys(tmp_path, b"correct horse", ENTROPY)
    assert b"ENCRYPTED" in (tmp_path / f"{made.public.id.hex()}.key").read_bytes()
    assert load_keyring(tmp_path, b"correct horse").current == made
    with pytest.raises(KeysUnusable, match="wrong passphrase"):
        load_keyring(tmp_path, b"wrong")
    with pytest.raises(KeysUnusable, match="a passphrase is needed"):
        load_keyring(tmp_path, None)


def test_older_keys_are_kept_and_only_the_current_ones_sign(tmp_path: Path) -> None:
    first = create_keys(tmp_path, None, ENTROPY)
    second = create_keys(tmp_path, None, ENTROPY[::-1])
    assert load_keyring(tmp_path, None).current == first
    set_current(tmp_path, second)
    ring = load_keyring(tmp_path, None)
    assert (ring.current, ring.older) == (second, (first,))


def test_a_key_file_cut_short_or_renamed_is_refused(tmp_path: Path) -> None:
    made = create_keys(tmp_path, None, ENTROPY)
    file = tmp_path / f"{made.public.id.hex()}.key"
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(KeysUnusable):
        load_keyring(tmp_path, None)
    file.write_bytes(whole)
    other = create_keys(tmp_path, None, ENTROPY[::-1])
    file.write_bytes((tmp_path / f"{other.public.id.hex()}.key").read_bytes())
    with pytest.raises(KeysUnusable, match="other keys"):
        load_keyring(tmp_path, None)


def test_secrets_never_show_in_a_representation() -> None:
    from protocol.keys import make_keys

    secret = make_keys(ENTROPY)
    assert ENTROPY[:32].hex() not in repr(secret)
    assert str(ENTROPY[:8])[2:-1] not in repr(secret)


def test_an_invitation_survives_a_letter_and_not_a_wrong_symbol() -> None:
    invitation = Invitation("demo", "HUB-FR", bytes(32), "200046977", bytes(range(16)), "http://127.0.0.1:1")
    text = format_invitation(invitation)
    assert parse_invitation(f"  {text[:40]}\n{text[40:].upper()} ") == invitation
    for place in range(4, len(text)):
        wrong = text[:place] + ("a" if text[place] != "a" else "b") + text[place + 1 :]
        with pytest.raises(InvalidInvitation):
            parse_invitation(wrong)


@pytest.mark.parametrize("length", range(8))
def test_the_last_symbol_of_an_invitation_has_no_second_spelling(length: int) -> None:
    text = format_invitation(Invitation("demo", "HUB-FR", bytes(32), "200046977", bytes(16), "h" * length))
    for symbol in "abcdefghijklmnopqrstuvwxyz234567":
        if symbol != text[-1]:
            with pytest.raises(InvalidInvitation):
                parse_invitation(text[:-1] + symbol)
    for wrong in (
        "",
        "cm1-",
        "cm1-a",
        "cm2-" + text[4:],
        text + "a",
        text[:-1],
        text[:-8],
        text + "=",
        "é" + text,
        "cm1-é",
    ):
        with pytest.raises(InvalidInvitation):
            parse_invitation(wrong)


@pytest.mark.parametrize("field", ["network", "url", "member", "token"])
def test_an_invitation_that_nobody_could_read_is_not_made(field: str) -> None:
    good: dict[str, Any] = {
        "network": "demo",
        "hub": "HUB-FR",
        "fingerprint": bytes(32),
        "member": "200046977",
        "token": bytes(16),
        "url": "",
    }
    wrong: Any = bytes(17) if field == "token" else "x" * 300
    assert parse_invitation(format_invitation(Invitation(**good))).member == "200046977"
    with pytest.raises(InvalidInvitation):
        format_invitation(Invitation(**good | {field: wrong}))


def test_settings_come_back_as_they_were_and_unknown_names_are_refused() -> None:
    config = HubConfig(network="n", code="HUB-FR", name='quoted " name é \x7f')
    assert parse_settings(format_settings(config), HubConfig) == config
    with pytest.raises(NotConfigured, match="unknown"):
        parse_settings(format_settings(config) + "surprise = 1\n", HubConfig)
    for wrong in ("network = ", "a = " + "[" * 5_000, "a = " + "9" * 5_000):
        with pytest.raises(NotConfigured):
            parse_settings(wrong, HubConfig)
    assert parse_listen("[::1]:80") == ("::1", 80)
    for wrong in ("80", "host:", "host:99999", ":80", "host:-1", "host:\u00b2", "host:" + "1" * 5_000):
        with pytest.raises(NotConfigured):
            parse_listen(wrong)


def test_secrets_are_hidden_from_logs() -> None:
    event = _hide_secrets(None, "info", {"event": "x", "api_key": "cmk_1", "token": b"t", "body": b"\x01"})
    assert event == {"event": "x", "api_key": "(hidden)", "token": "(hidden)", "body": "01"}


class _App:
    def __init__(self) -> None:
        self.story: list[str] = []

    async def start_quietly(self) -> None:
        self.story.append("start")

    async def stop(self) -> None:
        self.story.append("stop")


async def _double(app: _App, asked: Mapping[str, Any]) -> Any:
    app.story.append("double")
    if asked["cents"] < 0:
        raise InvalidAmount(amount=asked["cents"], reason="negative")
    return asked["cents"] * 2


async def test_a_command_reaches_the_running_process_and_its_refusal_comes_back(tmp_path: Path) -> None:
    deep = tmp_path / ("a very long folder name " * 8)
    deep.mkdir()
    app = _App()
    server = AdminServer(deep, {"double": _double}, app)
    await server.start()
    assert stat.S_IMODE((deep / SOCKET_NAME).stat().st_mode) == 0o600
    assert await asyncio.to_thread(call_running, deep, "double", {"cents": 21}) == (True, 42)
    with pytest.raises(Refused) as refusal:
        await asyncio.to_thread(call_running, deep, "double", {"cents": -1})
    assert (refusal.value.code, refusal.value.facts["amount"]) == ("invalid_amount", -1)
    with pytest.raises(Refused, match="unknown_command"):
        await asyncio.to_thread(call_running, deep, "nothing", {})
    await server.stop()
    assert app.story == ["double", "double"]


async def _break(_app: _App, _asked: Mapping[str, Any]) -> Any:
    raise RuntimeError("secret")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"garbage",
        b"[]",
        b"null",
        b'{"command": "double"}',
        b'{"command": 1, "arguments": {}}',
        b'{"command": "double", "arguments": 5}',
        b"\xff",
        b"[" * 100_000,
    ],
)
async def test_garbage_on_the_admin_channel_is_refused_and_it_goes_on(tmp_path: Path, body: bytes) -> None:
    server = AdminServer(tmp_path, {"double": _double}, _App())
    await server.start()
    reader, writer = await asyncio.open_unix_connection(tmp_path / SOCKET_NAME)
    writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    assert b'"malformed"' in answer
    assert await asyncio.to_thread(call_running, tmp_path, "double", {"cents": 1}) == (True, 2)
    await server.stop()
    assert not (tmp_path / SOCKET_NAME).exists()


async def test_a_bug_behind_a_command_is_a_number_for_the_caller(tmp_path: Path) -> None:
    server = AdminServer(tmp_path, {"break": _break, "double": _double}, _App())
    await server.start()
    with pytest.raises(Refused) as refusal:
        await asyncio.to_thread(call_running, tmp_path, "break", {})
    assert refusal.value.code == "incident"
    assert "secret" not in str(refusal.value)
    assert await asyncio.to_thread(call_running, tmp_path, "double", {"cents": 1}) == (True, 2)
    await server.stop()


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{", b"nonsense\r\n\r\n"])
async def test_a_process_that_dies_during_a_command_leaves_an_honest_doubt(tmp_path: Path, answer: bytes) -> None:
    async def die(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"}")
        writer.write(answer)
        writer.close()

    async with await asyncio.start_unix_server(die, tmp_path / SOCKET_NAME):
        with pytest.raises(NoAnswer):
            await asyncio.to_thread(call_running, tmp_path, "double", {"cents": 1})


def test_a_command_waits_for_a_process_that_is_between_two_states(tmp_path: Path) -> None:
    app, tries = _App(), 0

    def open_app() -> _App:
        nonlocal tries
        tries += 1
        if tries < 4:
            raise BookInUse(book="hub.db")
        return app

    assert call(tmp_path, "double", {"cents": 4}, open_app=lambda: (open_app(), {"double": _double})) == 8
    assert (tries, app.story) == (4, ["start", "double", "stop"])


def test_a_book_that_stays_in_use_is_said_in_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def open_app() -> _App:
        raise BookInUse(book="hub.db")

    monkeypatch.setattr(admin_service, "BETWEEN_SECONDS", 0.1)
    with pytest.raises(BookInUse):
        call(tmp_path, "double", {"cents": 4}, open_app=lambda: (open_app(), {"double": _double}))


def test_without_a_running_process_the_book_is_opened_here(tmp_path: Path) -> None:
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(tmp_path / SOCKET_NAME))  # left behind by a process that was killed
    left.close()
    app = _App()
    assert call(tmp_path, "double", {"cents": 4}, open_app=lambda: (app, {"double": _double})) == 8
    assert app.story == ["start", "double", "stop"]


def test_settings_are_written_with_every_field() -> None:
    config = HubConfig(network="n", code="HUB-FR", name="x")
    assert {line.split(" = ")[0] for line in format_settings(config).splitlines()} == {
        field.name for field in msgspec.structs.fields(HubConfig)
    }
