"""`citizen-miles` itself, as a process: languages, evidence, log lines, and rooms loaded only where they are named."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_group

from node import commands as node_commands
from protocol import keys, merkle
from protocol.canonical import encode_typed
from protocol.commands import find_rooms
from protocol.envelopes import HeadStatement
from protocol.evidence import Evidence, EvidenceKind, SignedStatement, encode_evidence
from protocol.keys import Domain, SecretKeys, make_keys
from protocol.messages import WIRE_VERSION
from protocol.running.explanations import EVIDENCE_SENTENCES, explain_evidence
from tests.running.member import BREST

PROGRAM = Path(sys.executable).with_name("citizen-miles")
pytestmark = pytest.mark.timeout(300)


def run(*words: object, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {
        name: os.environ[name] for name in os.environ if name not in ("LANG", "LC_ALL", "CITIZEN_MILES_LANG")
    }
    environment["COLUMNS"] = "60"
    command = [PROGRAM, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, env=environment | variables, timeout=120)


def _sign(secret: SecretKeys, root: bytes) -> SignedStatement:
    body = encode_typed(
        HeadStatement(
            version=WIRE_VERSION,
            speaks=WIRE_VERSION,
            network="test",
            sender=BREST,
            reader="HUB-FR",
            key=secret.public.id,
            epoch=1,
            at=1_795_000_000_000,
            log_size=1,
            log_root=root,
            ack_epoch=1,
            ack_size=0,
            ack_root=merkle.EMPTY_ROOT,
            checkpoint=None,
            payload=bytes(32),
        )
    )
    return SignedStatement(BREST, secret.public.signing, body, keys.sign(secret, Domain.STATEMENT, body))


def make_evidence(secret: SecretKeys, second_root: bytes) -> bytes:
    first, second = _sign(secret, b"\x01" * 32), _sign(secret, second_root)
    return encode_evidence(
        Evidence(1, str(EvidenceKind.TWO_HEADS), 1_795_000_000_000, BREST, first, second, None, (), b"")
    )


def test_evidence_is_judged_by_anybody(tmp_path: Path) -> None:
    secret, stranger = make_keys(bytes(range(64))), make_keys(bytes(64))
    key = secret.public.signing.hex()
    file = tmp_path / "evidence"
    file.write_bytes(make_evidence(secret, b"\x02" * 32))
    done = run("verify-evidence", file, "--json", "--key", key.upper())
    told = json.loads(done.stdout)
    assert (done.returncode, told["proved"], told["accused"], told["signing_key"]) == (0, True, BREST, key)
    assert (told["kind"], told["key_is_the_one_given"]) == ("two_heads", True)

    for language, word in (("fr", "deux histoires"), ("en", "two different histories")):
        done = run("--lang", language, "verify-evidence", file)
        assert (done.returncode, word in done.stdout, key in done.stdout) == (0, True, True)

    done = run("verify-evidence", file, "--json", "--key", stranger.public.signing.hex())
    assert (done.returncode, json.loads(done.stdout)["proved"]) == (1, False)

    whole = file.read_bytes()
    file.write_bytes(make_evidence(secret, b"\x01" * 32))  # two words that agree
    assert run("verify-evidence", file).returncode == 1
    for damaged in (b"garbage", whole[:100] + bytes([whole[100] ^ 0xFF]) + whole[101:]):
        file.write_bytes(damaged)
        done = run("verify-evidence", file)
        assert (done.returncode, "not_evidence" in done.stderr, "Traceback" in done.stderr) == (1, True, False)
    assert run("verify-evidence", tmp_path / "missing").returncode == 2


def test_the_language_is_chosen_once_for_all_commands(tmp_path: Path) -> None:
    for words, variables, expected in (
        (("--lang", "fr"), {"LANG": "en_GB.UTF-8"}, "Configuration :"),
        ((), {"LANG": "en_GB.UTF-8"}, "Configuration:"),
        ((), {}, "Configuration :"),
    ):
        done = run(*words, "hub", "status", tmp_path, **variables)
        assert done.returncode == 1
        assert expected in done.stderr
    assert run("--lang", "de", "version").returncode == 2


LOADED = """
import sys
sys.argv = ["citizen-miles", *sys.argv[1:]]
from protocol.commands import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
watched = ("hub.commands", "node.commands", "node.desks.fund.commands", "node.desks.partners.commands", "node.fund_app")
heavy = ("sqlalchemy", "aiohttp", "lxml", "typst", "structlog", "cryptography")
print("LOADED", *(name for name in (*watched, *heavy) if name in sys.modules))
"""


@pytest.mark.parametrize(
    ("words", "shown", "loaded"),
    [
        ("--help", "verify-evidence", []),
        ("hub status --help", "hub is", ["hub.commands"]),
        ("node --help", "partners", ["node.commands"]),
        ("node house card --help", "telephone", ["node.commands"]),
    ],
)
def test_only_what_is_named_is_loaded_and_no_library_of_a_base_for_being_listed(
    words: str, shown: str, loaded: list[str]
) -> None:
    done = subprocess.run([sys.executable, "-c", LOADED, *words.split()], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert shown in done.stdout
    assert done.stdout.splitlines()[-1].split()[1:] == loaded


def test_a_group_that_is_loaded_later_is_listed_by_its_own_words() -> None:
    groups = node_commands.app.info.cls.groups  # type: ignore[union-attr]
    assert {"fund", "partners", "house"} <= groups.keys()
    for later in groups.values():
        assert later.load().info.help == later.words
        # Options are read when a group is made: what they name must be there by then.
        assert get_group(later.load())
    rooms = find_rooms()
    assert rooms.keys() == {"node", "hub"}
    assert all(room.words.endswith(".") for room in rooms.values())


def test_both_rooms_are_found_and_the_version_is_said() -> None:
    done = run("--help")
    assert all(word in done.stdout for word in ("hub", "node", "verify-evidence"))
    assert run("version").stdout.count(".") == 2


def test_every_kind_of_evidence_has_a_sentence_in_both_languages() -> None:
    assert {str(kind) for kind in EvidenceKind} | {"compare_key", "seen"} == set(EVIDENCE_SENTENCES)
    for kind in EVIDENCE_SENTENCES:
        french, english = (explain_evidence(kind, BREST, language) for language in ("fr", "en"))
        assert french != english
        assert BREST in french
        assert BREST in english


LOGGER = """
import logging, structlog
from protocol.running.logs_service import set_up_logs
set_up_logs(level="info")
log = structlog.get_logger("test")
log.debug("not said")
log.info("said", token="s3cret", inner={"api_key": "s3cret", "n": 1}, rows=[{"passphrase": "s3cret"}], key=b"\\x01" * 64)
log.info("names", tokens=["s3cret"], seed=b"s3cret")
logging.getLogger("library").info("not said")
logging.getLogger("library").warning("from a library %s", "x")
try:
    raise ValueError("inside")
except ValueError:
    log.exception("broken")
    logging.getLogger("library").exception("broken too")
"""


def test_every_log_line_is_json_without_secrets_also_those_of_libraries() -> None:
    done = subprocess.run([sys.executable, "-c", LOGGER], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, "")
    assert "s3cret" not in done.stderr
    assert "not said" not in done.stderr
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["event"] for line in lines] == ["said", "names", "from a library x", "broken", "broken too"]
    assert lines[0]["key"] == "01" * 16
    assert lines[0]["inner"] == {"api_key": "(hidden)", "n": 1}
    assert lines[2]["level"] == "warning"
    assert all("ValueError: inside" in line["exception"] for line in lines[3:])
    assert all(line["timestamp"].endswith("Z") for line in lines)


BORROWED = """
import contextlib, io, logging, structlog
from protocol.running.logs_service import set_up_logs
with io.StringIO() as shown, contextlib.redirect_stderr(shown):
    set_up_logs(level="info")
    structlog.get_logger("test").info("into the borrowed one")
    assert "into the borrowed one" in shown.getvalue()
structlog.get_logger("test").info("afterwards")
logging.getLogger("library").warning("afterwards too")
"""


def test_logs_that_were_set_up_under_a_borrowed_standard_error_go_on_when_it_is_closed() -> None:
    done = subprocess.run([sys.executable, "-c", BORROWED], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, "")
    assert [json.loads(line)["event"] for line in done.stderr.splitlines()] == ["afterwards", "afterwards too"]


CANCELLED = """
import asyncio, logging
from protocol.running.logs_service import set_up_logs
set_up_logs(level="info")
for error in (asyncio.CancelledError(), ValueError("a job of ours")):
    logging.getLogger("apscheduler.executors.default").error("Error running job", exc_info=error)
"""


def test_a_job_that_ends_with_its_process_is_not_told_as_trouble() -> None:
    done = subprocess.run([sys.executable, "-c", CANCELLED], capture_output=True, text=True, timeout=120)
    [line] = [json.loads(line) for line in done.stderr.splitlines()]
    assert "a job of ours" in line["exception"]
