"""South programmes and guides over HTTP and by command: what is missing in both languages, and words signed at their people's place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from node.desks.projects.requests import write_sheet_request
from protocol.identifiers import format_id
from protocol.running import clock_service
from protocol.times import Instant
from tests.governance.south_world import SENEGAL, approve, begun, guide_words, report
from tests.governance.test_doors import Place, ask
from tests.governance.test_life import convert
from tests.governance.world import BREST, NOON, World, make_sheet


async def test_anybody_reads_what_a_programme_has_spent_and_lacks(world: World) -> None:
    project, partner = await begun(world)
    round_, _ = convert(world, project)
    await world.settle()
    world.accounts.convert(round_, {BREST: 6_000})
    await world.settle()
    report(world, project, partner.name, cents=(1_000, 250))
    words = guide_words(world)
    approve(world, words, "citizens-1", "companies-1", "qualified-1")
    approve(world, guide_words(world, "other"), "citizens-1")
    plain = world.propose(world.bearer_of(project))
    world.later(days=212)
    one = f"/{format_id(project)}/programme"
    answers = await ask(world, one, "/guides", f"/{format_id(plain)}/programme", f"/{format_id(world.id())}/programme")
    assert [status for status, _ in answers] == [200, 200, 404, 404]
    told, guides = answers[0][1], answers[1][1]
    assert (told["country"], told["purpose"]) == ("SN", "humanitarian")
    assert [line["reported_cents"] for line in told["lines"]] == [1_000, 250]
    assert [line["rate_millionths"] for line in told["lines"]] == [655_957_000, 1_000_000]
    [known] = told["partners"]
    assert (known["name"], known["proven_until"], known["agreed_until"]) == (
        "Puits du Sine",
        "2028-12-31",
        "2028-10-31",
    )
    assert known["lists_checked_on"] == "2026-11-20"
    assert [one["text"] for one in told["reports"]] == ["La pompe est posée."]
    [gap] = told["missing"]
    assert gap["code"] == "south_report_late"
    assert "compte rendu" in gap["explanation"]
    assert [(one["title"], one["state"]) for one in guides["guides"]] == [("guide", "accredited")], "not one proposed"


def test_a_programme_by_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock_service, "now", lambda: Instant(NOON))
    monkeypatch.setenv("LANG", "en_GB.UTF-8")
    place = Place(tmp_path / "node")
    place.run("init", place.folder, "--territory", BREST, "--name", "Brest")
    place.ask("init")
    sheet = msgspec.to_builtins(write_sheet_request(make_sheet(None, commune=SENEGAL))) | {"need_by": "2027-03-01"}
    (file := tmp_path / "puits.json").write_text(json.dumps(sheet), encoding="utf-8")
    project = place.ask("propose", file, "--by", "W291000001")["project"]
    assert {one["purpose"] for one in place.ask("south purposes")} >= {"humanitarian"}
    place.ask("south declare", project, "--country", "SN", "--purpose", "humanitarian")
    keys: dict[str, Any] = {}
    for role in ("partner", "steward", "guide", "member"):
        own = tmp_path / role
        keys[role] = place.run("projects", "key", "--keys", own, "--json") | {"folder": own}
        place.ask("signer add", keys[role]["public"], "--role", role, "--title", role)
    partner = place.ask(
        *("south partner add", project, "--name", "Puits du Sine", "--country", "SN", "--kind", "association"),
        *("--registration", "12345", "--key", keys["partner"]["key"]),
    )["partner"]
    (paper := tmp_path / "papier.pdf").write_bytes(b"paper")
    days = ("--issued-on", "2026-01-01", "--valid-until", "2028-12-31")
    place.ask("south partner proof", partner, paper, "--words", "récépissé", *days)
    agreement = place.ask(
        *("south agreement add", partner, paper, "--signed-on", "2026-11-01", "--from", "2026-11-01"),
        *("--until", "2028-10-31", "--clauses", "control,reporting,audit,return"),
    )["agreement"]
    lines = [{"words": "pompe", "country": "SN", "cents": 10_000, "currency": "XOF", "rate": 655_957_000}]
    (budget := tmp_path / "budget.json").write_text(json.dumps(lines), encoding="utf-8")
    assert place.ask("south budget", project, budget)["cents"] == 10_000
    budget.write_text('[{"words": "pompe"}]', encoding="utf-8")
    assert "invalid_programme" in place.run("projects", "south", "budget", place.folder, project, budget, code=1)
    told = place.ask("south clearance words", partner)
    assert (told["territory"], told["name"]) == (BREST, "Puits du Sine")
    signed = tmp_path / "clearance"
    place.run(
        *("projects", "south", "clearance", "sign", partner, "--territory", BREST, "--lists", "UE, ONU 2026-11-20"),
        *("--checked-on", "2026-11-20", "--keys", keys["steward"]["folder"], "--out", signed),
    )
    assert place.ask("south clearance take", signed)["waits_for"] == "a second steward"
    shown = place.ask("south show", project)
    assert [gap["code"] for gap in shown["missing"]] == ["south_bearer_missing", "south_clearance_missing"]
    assert shown["missing"][1]["facts"] == {"partner": "Puits du Sine", "signatures": 1}
    assert "south_clearance_missing" in place.run("projects", "south", "show", place.folder, project)
    place.ask("south agreement end", agreement, "--reason", "résiliée")
    place.ask("south partner end", partner, "--reason", "a cessé")

    place.ask("south report words", project, "--out", words := tmp_path / "words.json")
    place.run(
        *("projects", "south", "report", "sign", words, "--keys", keys["partner"]["folder"], "--from", "2026-11-01"),
        *("--until", "2026-11-20", "--cents", "100", "--text", "Fait.", "--out", signed),
    )
    assert "signature_refused" in place.run("projects", "south", "report", "take", place.folder, signed, code=1)

    place.run(
        *("projects", "guide", "sign", keys["guide"]["key"], "--certificate", paper, "--training", "35 h"),
        *("--trained-on", "2026-09-01", "--territory", BREST, "--from", "2026-11-01", "--until", "2028-10-31"),
        *("--keys", keys["member"]["folder"], "--out", signed),
    )
    assert "not_seated" in place.run("projects", "guide", "approve", place.folder, signed, code=1)
    place.ask(
        *("member seat", "--key", keys["member"]["key"], "--college", "citizens"),
        *("--from", "2026-01-01", "--until", "2028-12-31"),
    )
    assert place.ask("guide approve", signed)["state"] == "proposed"
    [listed] = place.ask("guide list")
    assert (listed["title"], listed["accounts_know"]) == ("guide", False)
    place.ask("guide end", listed["guide"], "--why", "left", "--reason", "a déménagé")
    assert place.ask("guide list")[0]["state"] == "ended"
