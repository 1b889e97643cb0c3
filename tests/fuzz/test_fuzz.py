"""A moment of fuzzing of every target; bugs planted into the product are found; no decoder is forgotten."""

from __future__ import annotations

import ast
import asyncio
import json
import subprocess
import sys
import threading
import typing
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Final

import pytest
from aiohttp import web

from hub.operators.api import OPERATOR_DOORS
from node.api import DOORS
from protocol import messages, national
from protocol.errors import Malformed
from tests.fuzz import served
from tests.fuzz.corpus import FOLDER
from tests.fuzz.doors_served import BASES
from tests.fuzz.engine import FOUND, has_atheris
from tests.fuzz.served import Door, frame
from tests.fuzz.targets import TARGETS

pytestmark = pytest.mark.timeout(300)
ROOT: Final = Path(__file__).parents[2]
# The name of each test says whether coverage guided it here.
GUIDED: Final = "guided" if has_atheris() else "blind: atheris is not here"
SERVED: Final = ("node_api", "doors_api", "credits_in_columns", "hub_api", "node_takes", "hub_takes")
PURE: Final = tuple(name for name in TARGETS if name not in SERVED)


def fuzz(targets: Sequence[str], work: Path, *options: str) -> dict[str, dict[str, Any]]:
    """Run the engine in a process of its own; return what it told of each target."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.engine", *targets, "--work", str(work), *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    told = {line["target"]: line for line in map(json.loads, done.stdout.splitlines())}
    assert set(told) == set(targets), done.stderr[-2_000:]
    return told


def last_words(work: Path, target: str) -> str:
    return (work / target / "log").read_text(errors="replace")[-3_000:]


def crashers(work: Path, target: str) -> list[Path]:
    return [file for file in (work / target).iterdir() if file.name.startswith(("crash-", "timeout-", "oom-"))]


@pytest.mark.parametrize("targets", [PURE, SERVED], ids=[f"pure, {GUIDED}", f"with a book, {GUIDED}"])
def test_a_moment_of_fuzzing_finds_nothing(targets: tuple[str, ...], tmp_path: Path) -> None:
    told = fuzz(targets, tmp_path, "--seconds", "1", "--runs", "300")
    for target in targets:
        assert told[target]["code"] == 0, last_words(tmp_path, target)
        assert told[target]["guided"] == has_atheris()


def test_the_blind_engine_runs_where_atheris_is_missing(tmp_path: Path) -> None:
    told = fuzz(("slip", "names"), tmp_path, "--blind", "--seconds", "5", "--runs", "1500")
    assert [line["code"] for line in told.values()] == [0, 0]
    assert not any(line["guided"] for line in told.values())
    assert "stat::number_of_executed_units: 1500" in last_words(tmp_path, "slip")


@pytest.mark.parametrize(
    ("plant", "target", "way"),
    [
        ("crash_on_one_byte", "slip", "--blind"),
        ("accept_other_encodings", "slip", "--blind"),
        ("forget_one_column", "slip", "--blind"),
        ("forget_the_heads", "national_file", "--blind"),
        ("forgive_capitals_in_columns", "body", "--blind"),
        ("forget_references_in_columns", "credits_in_columns", "--blind"),
        *(
            [("crash_on_one_byte", "slip", "--seed=2"), ("forget_one_column", "slip", "--seed=2")]
            if has_atheris()
            else []
        ),
    ],
)
def test_a_planted_bug_is_found_and_kept(plant: str, target: str, way: str, tmp_path: Path) -> None:
    told = fuzz((target,), tmp_path, way, "--plant", f"tests.fuzz.planted:{plant}", "--seconds", "120")
    assert told[target]["code"] != 0, last_words(tmp_path, target)
    (crasher,) = crashers(tmp_path, target)
    TARGETS[target].prepare()(crasher.read_bytes())  # refused as it should be, where nothing is planted


def test_what_was_kept_is_replayed(tmp_path: Path) -> None:
    file = tmp_path / "crash-x"
    file.write_bytes(b"\x94\x01x")
    command = [sys.executable, "-m", "tests.fuzz.engine", "slip", "--replay", str(file)]
    for options, code in (([], 0), (["--plant", "tests.fuzz.planted:crash_on_one_byte"], FOUND)):
        assert subprocess.run([*command, *options], cwd=ROOT, capture_output=True, check=False).returncode == code


# No decoder is forgotten.

# Where bytes and texts from outside are read, and what the functions that read them are called.
READERS: Final = (
    *(
        "protocol",
        "node/desks/accounts/requests.py",
        "node/desks/accounts/solidarity_requests.py",
        "node/federation",
        "hub",
        "node/house",
    ),
    *("node/fund/camt.py", "node/fund/payment_status.py", "node/fund/statement_csv.py"),
    *("node/partners/operations_file.py", "node/partners/tickets.py"),
    *("node/governance/passes", "node/people/paper_codes.py"),
)
VERBS: Final = (
    "decode",
    "open_",
    "parse_",
    "read_",
    "judge",
    "unseal",
    "verify_",
    "require_",
    "load_keyring",
    "_read_",
)
NOT_DECODERS: Final = {
    "protocol/book/": "the base behind the doors: it reads what we wrote",
    "protocol/commands.py": "the command line around `judge`",
    "protocol/running/console_commands.py": "what the operator types, on a screen of his own",
    "protocol/running/http_service.py": "an answer of ours",
    "hub/admin_commands.py": "the operator's own command line",
    "hub/commands.py": "the operator's own command line",
    "hub/config.py": "values only",
    "node/federation/checks.py": "checks of our own book",
    "node/governance/passes/kept_words.py": "rows of our own book",
    "protocol/exchange/peer_key_checks.py": "checks of our own book",
}
SAID_ELSEWHERE: Final = {
    "open_hub_checkpoint": "one step of `take`: reached where an envelope of the hub carries a checkpoint",
    "decode_recovery": "a row of our own book",
    "decode_hub_recovery": "a row of our own book",
    "decode_links": "a row of our own book",
    "require_announced": "one step of taking a house's envelope: its `NewKey` is read by the house_slip target",
    "require_signer": "one step of taking a house's envelope, on keys that were verified",
    "read_giver": "`parse_address`, which the names target reaches, and None where it refuses",
    "_read_bounded": "the length of a network answer; what is in it is read by `verify_envelope` and `_refusal_of`",
    "require_key_id": "what the operator types on his own command line",
    "require_balance": "the operator's own numbers: no byte of a stranger comes here",
    "require_amount": "an integer that msgspec read: reached by the body target",
}


def decoders() -> Iterator[tuple[str, str]]:
    """Yield (file, function) for every public function that reads what comes from outside."""
    for start in READERS:
        files = [ROOT / start] if start.endswith(".py") else sorted((ROOT / start).rglob("*.py"))
        for file in files:
            place = str(file.relative_to(ROOT))
            if any(place.startswith(one) for one in NOT_DECODERS) or "/migrations/" in place:
                continue
            for node in ast.parse(file.read_text()).body:
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith(VERBS):
                    yield place, node.name


@pytest.fixture(scope="module")
def reached() -> set[tuple[str, str]]:
    """(file, function) of everything of ours that the targets run through on their corpora, in this process."""
    codes: set[CodeType] = set()

    def note(frame: FrameType, _event: str, _argument: object) -> None:
        codes.add(frame.f_code)  # None as a local tracer: calls are told, lines are not

    before = sys.gettrace()
    threading.settrace(note)
    try:
        for name, target in TARGETS.items():
            sys.settrace(note)
            run = target.prepare()
            for file in sorted((FOLDER / name).iterdir()):
                sys.settrace(note)  # again: brackets in brackets end in a RecursionError, and that ends tracing
                run(file.read_bytes())
    finally:
        sys.settrace(before)
        threading.settrace(before)  # type: ignore[arg-type]
    return {
        (str(Path(code.co_filename).relative_to(ROOT)), code.co_name)
        for code in codes
        if code.co_filename.startswith(str(ROOT)) and ".venv" not in code.co_filename
    }


def test_every_decoder_is_reached_by_a_target(reached: set[tuple[str, str]]) -> None:
    found = set(decoders())
    assert len(found) > 30, "the search for decoders finds them"
    missed = {one for one in found - reached if one[1] not in SAID_ELSEWHERE}
    assert missed == set()


def test_every_door_of_the_api_is_reached(reached: set[tuple[str, str]]) -> None:
    missed = {
        route.path
        for route, handler in DOORS
        if (f"{handler.__module__.replace('.', '/')}.py", handler.__name__) not in reached
    }
    assert missed == set()


def test_the_corpus_asks_every_door_of_the_operator() -> None:
    asked = {file.read_bytes().partition(b"\n")[0].decode() for file in (FOLDER / "hub_api").iterdir()}
    assert {f"{route.method} {route.path.replace('{window}', '1')}" for route, _, _ in OPERATOR_DOORS} <= asked


def test_the_corpus_asks_every_step_of_the_four_bases() -> None:
    asked = {
        file.read_bytes().partition(b"\n")[0].partition(b"?")[0].decode() for file in (FOLDER / "doors_api").iterdir()
    }
    for steps, _ in BASES:
        wanted = {f"{'GET' if step.reads else 'POST'} {steps.prefix}/{step.called}" for step in steps.steps}
        assert wanted - asked == set()


def test_a_request_is_answered_and_one_that_breaks_off_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    async def answer(request: web.Request) -> web.Response:
        await asyncio.to_thread(lambda: None)  # as any handler that reads a book
        return web.Response(body=await request.read())

    application = web.Application()
    application.router.add_post("/", answer)
    loop = asyncio.new_event_loop()
    door = Door(loop, application)
    with monkeypatch.context() as patched:
        patched.setattr(served, "PATIENCE_SECONDS", 15.0)  # a slow machine may need more than a moment
        assert door.ask(frame(b"POST /\n\nwhole")).endswith(b"whole")
    assert door.ask(frame(b"POST /\nContent-Length: 99\n\nbroken")) == b""
    loop.run_until_complete(door.close())
    loop.close()


def test_the_corpus_holds_every_kind_of_message_and_of_national_leaf() -> None:
    kinds: set[type] = set()
    for file in (FOLDER / "slip").iterdir():
        try:
            kinds |= {type(message) for message in messages.decode_slip(file.read_bytes()).messages}
        except Malformed:
            continue
    assert kinds == set(typing.get_args(messages.Message))
    leaves = [national.decode_national(file.read_bytes()) for file in (FOLDER / "national").iterdir()]
    assert {type(leaf) for leaf in leaves} == set(typing.get_args(national.NationalEntry))


def test_the_corpus_is_small_and_complete() -> None:
    sizes = {folder.name: sum(file.stat().st_size for file in folder.iterdir()) for folder in FOLDER.iterdir()}
    assert set(sizes) == set(TARGETS)
    assert max(sizes.values()) < 48_000
