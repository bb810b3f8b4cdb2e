"""Rules of the layout that no linter holds."""

import ast
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILES = [*ROOT.glob("lib/**/*.py"), *ROOT.glob("pages/*.py"), ROOT / "app.py"]


def place(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_every_module_says_what_it_is_for() -> None:
    silent = [place(path) for path in FILES if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))]

    assert silent == []


def test_nothing_beside_the_main_script_hides_a_package() -> None:
    """Streamlit puts the main script's folder first on `sys.path`: a name there wins over any package's."""
    beside = {path.stem for path in (ROOT / "lib" / "ui").iterdir() if path.suffix in ("", ".py")} - {"__init__"}
    hidden = beside & {*sys.stdlib_module_names, *packages_distributions()}

    assert {"main", "shared", "chat"} <= beside
    assert hidden == set()


def test_the_tree_in_the_readme_is_the_tree() -> None:
    readme = ROOT / "README.md"
    before = readme.read_text(encoding="utf-8")
    try:
        subprocess.run([sys.executable, "scripts/readme_tree.py"], cwd=ROOT, check=True)
        assert readme.read_text(encoding="utf-8") == before, "run `make docs`"
    finally:
        readme.write_text(before, encoding="utf-8", newline="\n")
