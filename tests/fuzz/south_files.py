"""What is signed far away and handed in: field reports, statements on sanctions lists, accreditations and acts of guides."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Final

from node.governance.parameters_store import load_south_rules
from node.governance.south.clearances import ClearanceWords, read_clearance, require_clearance, write_clearance
from node.governance.south.guides import GuideWords, read_guide, require_guide, write_guide
from node.governance.south.reports import ReportWords, Told, read_report, require_report, write_report
from node.governance.south.signed import read_signed, sign_words, write_signed
from node.guides.acts import (
    ActWords,
    CedeAct,
    OrientAct,
    RecallAct,
    TakeBackAct,
    read_act,
    read_signed_act,
    sign_act,
    write_act,
    write_signed_act,
)
from protocol.errors import Refusal
from protocol.keys import Domain, SecretKeys
from tests.fuzz.targets import Run, require_same

OWN: Final = SecretKeys(bytes(range(32)), bytes(range(32, 64)))
HOME: Final = "242900314"
TODAY: Final = 20261128
CLEARANCE: Final = ClearanceWords(1, HOME, b"i" * 16, b"p" * 16, "UE, ONU 2026-11-20", 20261120, True)
REPORT: Final = ReportWords(
    1, HOME, b"i" * 16, b"p" * 16, 20261101, 20261120, (1_000, 0), (bytes(32),), "La pompe est posée."
)
GUIDE: Final = GuideWords(1, HOME, b"i" * 16, b"k" * 8, "35 h", bytes(32), 20260901, 20261101, 20281031)
ACTS: Final = tuple(
    ActWords(1, HOME, b"i" * 16, b"g" * 16, "D715K6AF", 1_795_000_000_000, act)
    for act in (
        OrientAct(("D715K6AF", "D715-K6AF-3@200046977"), (500, 0), "next"),
        CedeAct("D715-K6AF-3@200046977", 100, "merci"),
        TakeBackAct(b"o" * 16, 0),
        RecallAct(b"c" * 16),
    )
)
TOLD: Final = Told(lines=2, last_day=20261031, cents=0, converted=10_000)


def signed_file() -> Run:
    """The line as it came, and whatever bytes as words that somebody signed: reading goes on to the rules."""
    rules = load_south_rules(TODAY)
    readers: tuple[tuple[Callable[[bytes], Any], Callable[[Any], bytes], Callable[[Any], object]], ...] = (
        (read_clearance, write_clearance, lambda words: require_clearance(words, today=TODAY)),
        (read_report, write_report, lambda words: require_report(words, TOLD, today=TODAY)),
        (read_guide, write_guide, lambda words: require_guide(words, rules)),
        (read_act, write_act, lambda _words: None),
    )

    def run(data: bytes) -> None:
        with suppress(Refusal):
            signed = read_signed(data.decode("utf-8", "replace"))
            require_same(read_signed(write_signed(signed)), signed, "signed words")
            data = signed.words
        with suppress(Refusal):
            act = read_signed_act(data.decode("utf-8", "replace"))
            require_same(read_signed_act(write_signed_act(act)), act, "a signed act")
            data = act.words
        for read, write, require in readers:
            with suppress(Refusal):
                words = read(data)
                require_same(write(words), data, "words")
                require(words)

    return run


def seeds() -> Iterator[bytes]:
    """What the fuzzer begins with."""
    for words in (write_clearance(CLEARANCE), write_report(REPORT), write_guide(GUIDE)):
        yield words
        yield write_signed(sign_words(words, Domain.AUDIT, OWN)).encode()
    for act in ACTS:
        yield write_act(act)
        yield write_signed_act(sign_act(act, OWN)).encode()
