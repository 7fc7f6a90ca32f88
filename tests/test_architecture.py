"""Programs guard the shape: import contracts, size of files and functions, docstrings, no broad except."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src/watchkeeper"
MODULES = sorted(
    p for p in SOURCE.rglob("*.py") if "node_modules" not in p.parts and "migrations" not in p.parts
)
LINES, FUNCTION_LINES, KERNEL_LINES = 400, 60, 3000


def identify(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", MODULES, ids=identify)
def test_a_module_is_short_and_says_what_it_is(path: Path) -> None:
    text = path.read_text()
    tree = ast.parse(text)
    assert len(text.splitlines()) <= LINES, f"split it: more than {LINES} lines"
    head = ast.get_docstring(tree)
    assert head and "TODO" not in head, "begin with a docstring: what it is and what it is not"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or 0) - node.lineno
            assert length <= FUNCTION_LINES, (
                f"{node.name} has {length} lines; {FUNCTION_LINES} can be seen at once"
            )


@pytest.mark.parametrize(
    "path", [p for p in MODULES if "app" not in p.relative_to(SOURCE).parts], ids=identify
)
def test_errors_are_caught_by_name(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ExceptHandler):
            caught = ast.unparse(node.type) if node.type else "everything"
            reraised = any(isinstance(n, ast.Raise) and n.exc is None for n in ast.walk(node))
            assert reraised or caught not in ("everything", "Exception", "BaseException"), (
                f"line {node.lineno}"
            )


def test_the_kernel_stays_small() -> None:
    fields = ast.parse((SOURCE / "kernel/resource.py").read_text())
    [declaration] = [n for n in fields.body if isinstance(n, ast.ClassDef) and n.name == "Resource"]
    assert sum(isinstance(n, ast.AnnAssign) for n in declaration.body) <= 25
    lines = sum(len(p.read_text().splitlines()) for p in MODULES if "kernel" in p.parts)
    assert lines <= KERNEL_LINES


def test_imports_point_downwards() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:]


def test_no_kind_offers_two_actions_of_one_name() -> None:
    from watchkeeper.kernel.resource import registry

    for resource in registry:
        names = [action.name for action in resource.actions]
        assert len(names) == len(set(names)), resource.path
