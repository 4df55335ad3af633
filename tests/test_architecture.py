"""The floors of the house: imports point down, and none hides inside a function."""

import ast
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
PACKAGES = CONFIG["root_packages"]


def test_imports_point_down() -> None:
    program = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run(
        [program, "--no-cache"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_every_package_has_its_floor() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "benchmarks"}
    floors = [name.strip() for layer in CONFIG["contracts"][0]["layers"] for name in layer.split("|")]
    assert packages == set(PACKAGES) == set(floors)


def _modules() -> list[Path]:
    files = (path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    return sorted(path for path in files if path.name != "apps.py")


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return ["" if node.level else node.module or ""]
    return []


@pytest.mark.parametrize("package", PACKAGES)
def test_no_project_import_hides_inside_a_function(package: str) -> None:
    hidden = []
    for path in (path for path in _modules() if path.relative_to(ROOT).parts[0] == package):
        for scope in ast.walk(ast.parse(path.read_text())):
            if not isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                continue
            names = [name for node in ast.walk(scope) for name in _imported(node)]
            hidden += [
                f"{path.relative_to(ROOT)}: {name or 'a relative import'}"
                for name in names
                if not name or name.split(".")[0] in PACKAGES
            ]
    assert hidden == []
