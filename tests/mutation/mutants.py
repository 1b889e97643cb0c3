"""Every mutant of a source text: one small change each, named by where it is and what it changes. Pure.

A name holds no line number, so that it survives an edit elsewhere: `function: before -> after`, with `#2` for the second
of equals.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

_COMPARE: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_BINARY: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitOr,
    ast.Pow: ast.Mult,
}
# Words for people, and names for other programs' messages: what they say is not what tests are about. A reason that is
# one word is a code, and tests are about codes.
_WORDS: Final = frozenset({"reason", "summary"})
_TYPES: Final = frozenset({"bool", "bytes", "int", "str"})
_SAYERS: Final = frozenset({"ValueError", "AssertionError", "NewType", "TypeVar"})


@dataclass(frozen=True)
class Mutant:
    """One change: its name, the line it is on today, and which change of the source it is; none: nothing changed."""

    name: str
    line: int
    source: str
    number: int | None

    def make_tree(self) -> ast.Module:
        """Return the whole changed tree."""
        tree = ast.parse(self.source)
        if self.number is not None:
            _sites(tree)[self.number].change()
        return ast.fix_missing_locations(tree)


@dataclass(frozen=True)
class _Site:
    """A change that can be made in the tree that holds `node`: what stands in `owner` under `key` becomes `new`."""

    place: str
    node: ast.AST
    owner: ast.AST | list[Any]
    key: str | int
    new: object
    after: Callable[[], str]

    def change(self) -> object:
        """Make the change and return what stood there."""
        return self._put(self.new)

    def change_back(self, old: object) -> None:
        self._put(old)

    def _put(self, value: object) -> object:
        if isinstance(self.owner, list):
            assert isinstance(self.key, int)
            old, self.owner[self.key] = self.owner[self.key], value
            return old
        assert isinstance(self.key, str)
        old = getattr(self.owner, self.key)
        setattr(self.owner, self.key, value)
        return old


def find_mutants(source: str) -> Iterator[Mutant]:
    """Yield every mutant of a source, in the order of the text."""
    seen: dict[str, int] = {}
    for number, site in enumerate(_sites(ast.parse(source))):
        before = _short(site.node)
        old = site.change()
        name = f"{site.place}: {before} -> {site.after()}"
        site.change_back(old)
        seen[name] = seen.get(name, 0) + 1
        if seen[name] > 1:
            name += f" #{seen[name]}"
        yield Mutant(name, getattr(site.node, "lineno", 0), source, number)


def _short(node: ast.AST) -> str:
    return " ".join(ast.unparse(node).split())[:160]


def _sites(tree: ast.Module) -> list[_Site]:
    finder = _Finder()
    finder.visit(tree)
    return finder.sites


class _Finder(ast.NodeVisitor):
    """Collects the sites of a tree; knows where it is, and what is a type or words for people."""

    def __init__(self) -> None:
        self.sites: list[_Site] = []
        self._path: list[str] = []
        self._is_raising = False

    def _add(
        self,
        node: ast.AST,
        owner: ast.AST | list[Any],
        key: str | int,
        new: object,
        after: Callable[[], str] | None = None,
    ) -> None:
        place = ".".join(self._path) or "module"
        self.sites.append(_Site(place, node, owner, key, new, after or (lambda: _short(node))))

    # Where we are.

    def _visit_named(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> None:
        self._path.append(node.name)
        for decorator in node.decorator_list:
            self.visit(decorator)
        if not isinstance(node, ast.ClassDef):
            for default in (*node.args.defaults, *(one for one in node.args.kw_defaults if one is not None)):
                self.visit(default)
        self._visit_body(node.body)
        self._path.pop()

    visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = _visit_named

    def visit_Module(self, node: ast.Module) -> None:
        self._visit_body(node.body)

    def _visit_body(self, body: list[ast.stmt]) -> None:
        for place, statement in enumerate(body):
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                continue  # a docstring
            if isinstance(statement, ast.Raise | ast.Break | ast.Continue) or (
                isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)
            ):
                self._add(statement, body, place, ast.copy_location(ast.Pass(), statement), lambda: "pass")
            self.visit(statement)

    def visit_If(self, node: ast.If) -> None:
        self._negate(node)
        self.visit(node.test)
        self._visit_body(node.body)
        self._visit_body(node.orelse)

    def visit_While(self, node: ast.While) -> None:
        self.visit(node.test)
        self._visit_body(node.body)

    def visit_For(self, node: ast.For) -> None:
        self.visit(node.iter)
        self._visit_body(node.body)
        self._visit_body(node.orelse)

    def visit_With(self, node: ast.With) -> None:
        for item in node.items:
            self.visit(item)
        self._visit_body(node.body)

    def visit_Try(self, node: ast.Try) -> None:
        self._visit_body(node.body)
        for handler in node.handlers:
            self._visit_body(handler.body)
        self._visit_body(node.orelse)
        self._visit_body(node.finalbody)

    def visit_match_case(self, node: ast.match_case) -> None:
        if node.guard is not None:
            self.visit(node.guard)
        self._visit_body(node.body)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self._negate(node)
        self.generic_visit(node)

    def _negate(self, node: ast.If | ast.IfExp) -> None:
        if isinstance(node.test, ast.Compare | ast.BoolOp | ast.UnaryOp):
            return  # these have mutants of their own
        negated = ast.copy_location(ast.UnaryOp(ast.Not(), node.test), node.test)
        self._add(node.test, node, "test", negated, lambda: _short(negated))

    # What is no code that runs, or only words.

    def visit_Import(self, node: ast.Import) -> None:
        pass

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        pass

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        pass

    def visit_Raise(self, node: ast.Raise) -> None:
        if node.exc is not None:
            self._is_raising = True
            self.visit(node.exc)
            self._is_raising = False

    def visit_Assert(self, node: ast.Assert) -> None:
        pass  # it states a bug: nothing may depend on it

    def visit_Call(self, node: ast.Call) -> None:
        self.visit(node.func)
        is_sayer = isinstance(node.func, ast.Name) and node.func.id in _SAYERS
        for argument in (*node.args, *node.keywords):
            if not is_sayer:
                self.visit(argument)

    def visit_keyword(self, node: ast.keyword) -> None:
        if node.arg not in _WORDS or (isinstance(node.value, ast.Constant) and not _is_words(node.value.value)):
            self.visit(node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if self._path and isinstance(node.annotation, ast.Subscript):
            self.visit(node.annotation)  # the bounds of a field
        if node.value is not None:
            self.visit(node.value)

    def visit_Assign(self, node: ast.Assign) -> None:
        if not any(isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets):
            self.visit(node.value)

    # The changes.

    def visit_Return(self, node: ast.Return) -> None:
        if node.value is None:
            return
        if not (isinstance(node.value, ast.Constant) and node.value.value is None):
            self._add(node, node, "value", ast.Constant(None))
        self.visit(node.value)

    def visit_Compare(self, node: ast.Compare) -> None:
        for place, operator in enumerate(node.ops):
            self._add(node, node.ops, place, _COMPARE[type(operator)]())
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        self._add(node, node, "op", ast.Or() if isinstance(node.op, ast.And) else ast.And())
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        if not (
            isinstance(node.left, ast.Name | ast.Constant) and isinstance(node.op, ast.BitOr) and not self._in_code
        ):
            replacement = _BINARY.get(type(node.op))
            if replacement is not None and not (isinstance(node.op, ast.BitOr) and _is_type(node)):
                self._add(node, node, "op", replacement())
        self.generic_visit(node)

    @property
    def _in_code(self) -> bool:
        return bool(self._path)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        replacement = _BINARY.get(type(node.op))
        if replacement is not None:
            self._add(node, node, "op", replacement())
        self.visit(node.value)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if isinstance(node.op, ast.Not):
            operand = node.operand
            twice = ast.copy_location(ast.UnaryOp(ast.Not(), operand), operand)
            self._add(node, node, "operand", twice, lambda: f"bool({_short(operand)})")
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        value = node.value
        if self._is_raising and _is_words(value):
            return
        changed: object
        if isinstance(value, bool):
            changed = not value
        elif isinstance(value, int):
            changed = value + 1
        elif isinstance(value, str | bytes):
            changed = value + ("X" if isinstance(value, str) else b"X")
        else:
            return
        self._add(node, node, "value", changed)


def _is_words(value: object) -> bool:
    return isinstance(value, str) and " " in value


def _is_type(node: ast.BinOp) -> bool:
    """Tell whether `A | B` joins types: names that begin with a capital, those that are built in, or None."""
    parts = list(ast.walk(node))
    names = [part.id for part in parts if isinstance(part, ast.Name)]
    return any(isinstance(part, ast.Constant) and part.value is None for part in parts) or any(
        name in _TYPES or (name[:1].isupper() and not name.isupper()) for name in names
    )
