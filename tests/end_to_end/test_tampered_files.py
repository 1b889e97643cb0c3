"""One file bent by hand: whoever is given it refuses it with a sentence that says what is wrong, never a traceback."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from protocol.commands import app as everybody
from protocol.keys import make_keys
from tests.federation.world import BREST, LYON
from tests.hub import test_commands as hub_side
from tests.node import test_commands as node_side
from tests.running.test_dispatcher import make_evidence


def flip(file: Path, at: int) -> None:
    """Turn over one bit of one byte."""
    data = bytearray(file.read_bytes())
    data[at] ^= 1
    file.write_bytes(data)


@dataclass
class Desk:
    """A hub and a member that speak by files, each with its own terminal."""

    hub: hub_side.Terminal
    node: node_side.Terminal
    folder: Path

    def open_hub(self, name: str) -> hub_side.Terminal:
        made = hub_side.Terminal(self.folder / name)
        assert made.on("init", "--network", "test", "--name", "L'opérateur").exit_code == 0
        return made

    def open_node(self, name: str, code: str) -> node_side.Terminal:
        made = node_side.Terminal(self.folder / name)
        made_it = made.run("init", made.folder, "--territory", code, "--name", name, "--network", "test")
        assert made_it.exit_code == 0, made_it.output
        return made

    def enrol(self, hub: hub_side.Terminal, node: node_side.Terminal, code: str) -> None:
        asked, welcome = node.folder / "asked", node.folder / "welcome"
        invitation = hub.json("invite", code)["invitation"]
        assert node.run("enrol", node.folder, invitation, "--export", asked).exit_code == 0
        assert hub.on("federation enrol", asked, "--reply", welcome).exit_code == 0
        assert node.run("enrol", node.folder, invitation, "--welcome", welcome).exit_code == 0

    def export(self) -> Path:
        file = self.folder / "envelope"
        assert self.node.run("federation", "export", self.node.folder, file).exit_code == 0
        return file


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk(hub_side.Terminal(tmp_path / "hub"), node_side.Terminal(tmp_path / "brest"), tmp_path)
    made.hub, made.node = made.open_hub("hub"), made.open_node("brest", BREST)
    made.enrol(made.hub, made.node, BREST)
    return made


def is_refused(result: Result, *codes: str) -> bool:
    """Whether a person was told one of the reasons, on one line and without a traceback."""
    told = result.stderr.strip()
    return result.exit_code == 1 and any(f"({code})" in told for code in codes) and "Traceback" not in told


def test_an_envelope_with_a_flipped_byte_is_refused_and_said_why(desk: Desk) -> None:
    file, reply = desk.export(), desk.folder / "reply"
    whole = file.read_bytes()
    for at in range(0, len(whole), max(1, len(whole) // 12)):
        flip(file, at)
        result = desk.hub.on("federation import", file, "--reply", reply)
        assert is_refused(result, "bad_envelope", "not_canonical", "member_unknown"), f"byte {at}: {result.stderr}"
        assert not reply.exists()
        file.write_bytes(whole)
    assert desk.hub.on("federation import", file, "--reply", reply).exit_code == 0
    flip(reply, reply.stat().st_size - 1)
    assert is_refused(desk.node.run("federation", "import", desk.node.folder, reply), "bad_envelope", "not_canonical")


def test_evidence_that_was_bent_convicts_nobody(tmp_path: Path) -> None:
    file, runner = tmp_path / "evidence", CliRunner()
    whole = make_evidence(make_keys(bytes(range(64))), b"\x02" * 32)
    file.write_bytes(whole)
    assert runner.invoke(everybody, ["verify-evidence", str(file)]).exit_code == 0
    for at in range(0, len(whole), max(1, len(whole) // 25)):
        flip(file, at)
        result = runner.invoke(everybody, ["verify-evidence", str(file)], env={"CITIZEN_MILES_LANG": "en"})
        assert is_refused(result, "not_evidence"), f"byte {at}: {result.stdout}{result.stderr}"
        file.write_bytes(whole)


def test_a_national_log_that_was_bent_is_refused_at_its_leaf(desk: Desk) -> None:
    file, runner = desk.folder / "national", CliRunner()
    assert desk.hub.on("national export", file).exit_code == 0
    whole = file.read_bytes()
    for name, place in (("opérateur", "national log, leaf 1"), (BREST, "national log, head")):
        flip(file, whole.index(name.encode()) + len(name) - 1)
        result = runner.invoke(
            everybody, ["replay", str(file), "--json"], env={"CITIZEN_MILES_LANG": "en", "COLUMNS": "200"}
        )
        assert (result.exit_code, "Traceback" in result.output) == (1, False)
        assert f'"{place}"' in result.output, result.output
        file.write_bytes(whole)


@pytest.mark.parametrize(
    ("bend", "code", "word"),
    [
        ("keys of another", "keys_unusable", "other keys than its name says"),
        ("welcome of another hub", "bad_envelope", ""),
        ("half a welcome", "not_canonical", ""),
        ("half a base", "storage_unavailable", "malformed"),
        ("no base at all", "storage_unavailable", "not a database"),
    ],
)
def test_a_file_of_a_node_that_is_not_its_own_is_refused_with_a_sentence(
    desk: Desk, bend: str, code: str, word: str
) -> None:
    file = desk.export()
    assert desk.hub.on("federation import", file, "--reply", desk.folder / "reply").exit_code == 0
    BENDS[bend](desk)
    check = desk.node.run("check", desk.node.folder)
    taken = desk.node.run("federation", "import", desk.node.folder, desk.folder / "reply")
    refused = [result for result in (check, taken) if is_refused(result, code) and word in result.stderr]
    assert refused, check.output + check.stderr + taken.output + taken.stderr


def _swap_keys(desk: Desk) -> None:
    other = desk.open_node("lyon", LYON)
    (mine,), (theirs,) = ((one.folder / "keys").glob("*.key") for one in (desk.node, other))
    shutil.copy(theirs, mine)


def _swap_welcome(desk: Desk) -> None:
    other = desk.open_hub("other hub")
    lost = desk.open_node("lost", BREST)
    desk.enrol(other, lost, BREST)
    shutil.copy(lost.folder / "hub.welcome", desk.node.folder / "hub.welcome")


def _halve(name: str) -> Callable[[Desk], None]:
    def bend(desk: Desk) -> None:
        file = desk.node.folder / name
        data = file.read_bytes()
        file.write_bytes(data[: len(data) // 2])

    return bend


def _overwrite_base(desk: Desk) -> None:
    (desk.node.folder / "accounts.db").write_bytes(b"This was once a base. " * 400)


BENDS: dict[str, Callable[[Desk], None]] = {
    "keys of another": _swap_keys,
    "welcome of another hub": _swap_welcome,
    "half a welcome": _halve("hub.welcome"),
    "half a base": _halve("accounts.db"),
    "no base at all": _overwrite_base,
}
