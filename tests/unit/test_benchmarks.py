"""The benchmarks, which nobody runs every day, still find what they use of the package."""

import ast
import importlib
from pathlib import Path

import pytest

BENCHMARKS = [
    path for name in ("benchmarks", "gpu") for path in sorted((Path(__file__).parents[1] / name).glob("*.py"))
]


def imported(tree):
    """Local name → what it stands for, of all that is imported from the package."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "bnbench":
            for alias in node.names:
                module = importlib.import_module(node.module)
                if not hasattr(module, alias.name):
                    importlib.import_module(f"{node.module}.{alias.name}")
                found[alias.asname or alias.name] = getattr(module, alias.name)
    return found


@pytest.mark.parametrize("path", BENCHMARKS, ids=lambda path: path.stem)
def test_a_benchmark_uses_what_the_package_has(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    modules = {name: thing for name, thing in imported(tree).items() if type(thing).__name__ == "module"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
            assert hasattr(modules[node.value.id], node.attr), f"{node.value.id}.{node.attr}"
