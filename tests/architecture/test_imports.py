"""Who may import whom, held on the real sources; and each rule is seen to catch a planted violation."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.architecture.import_rules import (
    WORLD,
    Module,
    find_cycles,
    find_forbidden_names,
    find_impure_nouns,
    find_test_imports,
    find_wrong_directions,
    parse_module,
    read_modules,
)

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def sources() -> list[Module]:
    modules = read_modules(ROOT)
    # A checker that looks at nothing finds nothing wrong.
    assert {"protocol.errors", "node", "hub"} <= {module.name for module in modules}
    return modules


# ---------------------------------------------------------------- the real sources


def test_imports_go_downwards_only(sources: list[Module]) -> None:
    assert find_wrong_directions(sources) == []


def test_nothing_imports_what_is_for_tests(sources: list[Module]) -> None:
    assert find_test_imports(sources) == []


def test_no_import_cycle(sources: list[Module]) -> None:
    assert find_cycles(sources) == []


def test_a_noun_is_pure(sources: list[Module]) -> None:
    assert find_impure_nouns(sources) == []


def test_names_say_what_a_file_holds(sources: list[Module]) -> None:
    assert find_forbidden_names(sources) == []


# ---------------------------------------------------------------- planted violations


@pytest.mark.parametrize(
    ("importer", "source"),
    [
        ("protocol.values", "import node"),
        ("protocol.values", "from hub import routing"),
        ("protocol.values", "def lazily():\n    from node.ledger import lots"),
        ("protocol.commands", "from importlib import import_module\nimport_module('node.commands')"),
        ("node.lots", "import hub.members"),
        ("node.lots", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from hub import members"),
        ("hub.members", "from node.ledger.lots import Lot"),
        ("hub.members", "from tests.postgres import PostgresServer"),
        ("node.ledger.lots", "from node.federation import outbox"),
        ("node.ledger.lots", "from ..federation import outbox"),
        ("node.ledger.lots", "from .. import federation"),
    ],
)
def test_a_wrong_direction_is_caught(importer: str, source: str) -> None:
    assert len(find_wrong_directions([parse_module(importer, source)])) == 1


@pytest.mark.parametrize(
    ("importer", "source"),
    [
        ("node.lots", "from protocol import values\nimport nodes, hubris"),
        ("node.federation.outbox", "from node.ledger import service"),
        ("protocol.commands", "GROUP = 'citizen_miles.commands'\nnode = 1"),
    ],
)
def test_a_right_direction_passes(importer: str, source: str) -> None:
    assert find_wrong_directions([parse_module(importer, source)]) == []


def test_an_import_of_a_test_oracle_is_caught() -> None:
    assert len(find_test_imports([parse_module("protocol.merkle", "import pymerkle")])) == 1
    assert find_test_imports([parse_module("protocol.merkle", "import hashlib")]) == []


def test_a_cycle_is_caught_even_when_hidden_in_a_function() -> None:
    modules = [
        parse_module("node.a", "from node import b"),
        parse_module("node.b", "from node.c import thing"),
        parse_module("node.c", "def late():\n    from .a import thing"),
        parse_module("node.apart", "import node.a"),
    ]
    assert find_cycles(modules) == ["node.a -> node.b -> node.c -> node.a"]


def test_each_of_two_cycles_is_told() -> None:
    modules = [
        parse_module("hub.a", "import hub.b"),
        parse_module("hub.b", "import hub.a"),
        parse_module("node.x", "import node.y"),
        parse_module("node.y", "import node.x"),
    ]
    assert find_cycles(modules) == ["hub.a -> hub.b -> hub.a", "node.x -> node.y -> node.x"]


def test_a_cycle_through_a_package_is_caught() -> None:
    modules = [
        parse_module("node.book", "from node.book.lots import Lot", is_package=True),
        parse_module("node.book.lots", "from node.book import service_name"),
    ]
    assert len(find_cycles(modules)) == 1


def test_an_import_for_types_only_makes_no_cycle() -> None:
    modules = [
        parse_module("node.a", "from node import b"),
        parse_module("node.b", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from node.a import A"),
    ]
    assert find_cycles(modules) == []


def test_the_other_branch_of_type_checking_does_run() -> None:
    hidden = "import typing\nif typing.TYPE_CHECKING:\n    pass\nelse:\n    from node.a import A"
    modules = [parse_module("node.a", "from node import b"), parse_module("node.b", hidden)]
    assert len(find_cycles(modules)) == 1


@pytest.mark.parametrize("name", WORLD)
def test_a_noun_that_imports_the_world_is_caught(name: str) -> None:
    holder, _, last = name.rpartition(".")
    source = f"from {holder} import {last}" if holder else f"import {name}"
    assert len(find_impure_nouns([parse_module("node.ledger.lots", source)])) == 1
    assert find_impure_nouns([parse_module("node.ledger.service", source)]) == []


@pytest.mark.parametrize(
    "source",
    [
        "import aiohttp.web",
        "from sqlalchemy.ext import asyncio",
        "def lazily():\n    import os",
        "from datetime import datetime\nnow = datetime.now()",
        "from datetime import UTC, datetime as moment\nnow = moment.now(UTC)",
        "import datetime\nnow = datetime.datetime.utcnow()",
        "import datetime\nday = datetime.date.today()",
        "from datetime import datetime\nfactory = datetime.now",
        "import uuid\nid = uuid.uuid4()",
        "text = open('rates').read()",
        "print('cleared')",
    ],
)
def test_a_noun_that_touches_the_world_is_caught(source: str) -> None:
    assert len(find_impure_nouns([parse_module("hub.clearing", source)])) == 1


@pytest.mark.parametrize(
    "source",
    [
        "import msgspec, hashlib, uuid\nfrom datetime import datetime, timedelta",
        "def advance(now: int) -> int:\n    return now",
        "class Clock:\n    def open(self): ...\nClock().open()",
        "import osmium, timeline, richness",
    ],
)
def test_a_noun_that_only_thinks_passes(source: str) -> None:
    assert find_impure_nouns([parse_module("hub.clearing", source)]) == []


@pytest.mark.parametrize(
    "name",
    [
        *("hub.tables", "hub.store", "hub.service", "hub.client", "hub.worker", "hub.checks"),
        *("hub.pages", "hub.api", "hub.app", "hub.commands"),
        *("hub.log_store", "protocol.book.migration_service"),
        *("hub.migrations.env", "node.migrations.versions.r0001_first", "protocol.book.alembic.env"),
    ],
)
def test_a_role_may_touch_the_world(name: str) -> None:
    assert find_impure_nouns([parse_module(name, "import sqlalchemy, time")]) == []


@pytest.mark.parametrize("name", ["hub.storefront", "hub.service_names", "hub.restore", "hub.store.rows"])
def test_a_name_that_only_resembles_a_role_gives_no_right(name: str) -> None:
    assert len(find_impure_nouns([parse_module(name, "import time")])) == 1


def test_a_package_file_is_a_noun_whatever_the_folder_is_called() -> None:
    assert len(find_impure_nouns([parse_module("hub.pages", "import time", is_package=True)])) == 1


@pytest.mark.parametrize("name", ["utils", "helpers", "common", "base", "manager", "lot_manager", "sql_utils"])
def test_a_name_that_says_nothing_is_caught(name: str) -> None:
    assert len(find_forbidden_names([parse_module(f"node.{name}", "")])) == 1
    assert len(find_forbidden_names([parse_module(f"node.{name}", "", is_package=True)])) == 1


@pytest.mark.parametrize("name", ["database", "commons", "base_rates", "management"])
def test_a_name_that_says_something_passes(name: str) -> None:
    assert find_forbidden_names([parse_module(f"node.{name}", "")]) == []
