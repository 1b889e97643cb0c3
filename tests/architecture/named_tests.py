"""What a table names as a test must be one: the functions at the top of a file, read without importing it."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]


@cache
def functions_of(path: Path) -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef]:
    """Return the functions at the top of this file by their names."""
    return {
        node.name: node
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def is_test(named: str) -> bool:
    """Tell whether `tests/…/file.py::test_name` exists."""
    file, _, name = named.partition("::")
    path = ROOT / file
    return name.startswith("test_") and path.is_file() and name in functions_of(path)
