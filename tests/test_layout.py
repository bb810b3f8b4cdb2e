"""Rules of the layout that no linter holds."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from itertools import pairwise
from pathlib import Path

import pytest

from scripts import feature_table

ROOT = Path(__file__).parents[1]


def place(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def test_nothing_beside_the_main_script_hides_a_package() -> None:
    """Streamlit puts the main script's folder first on `sys.path`: a name there wins over any package's."""
    beside = {path.stem for path in (ROOT / "lib" / "ui").iterdir() if path.suffix in ("", ".py")} - {"__init__"}
    hidden = beside & {*sys.stdlib_module_names, *packages_distributions()}

    assert {"main", "shared", "chat"} <= beside
    assert hidden == set()


def test_the_trees_in_the_documents_are_the_tree() -> None:
    pages = [ROOT / "README.md", ROOT / "docs" / "modules.md"]
    before = [read(page) for page in pages]
    try:
        subprocess.run([sys.executable, "scripts/readme_tree.py"], cwd=ROOT, check=True)
        assert [read(page) for page in pages] == before, "run `make docs`"
    finally:
        for page, text in zip(pages, before, strict=True):
            page.write_text(text, encoding="utf-8", newline="\n")


def test_every_place_that_the_map_names_is_there() -> None:
    """A name without a folder is beside the one before it; what stands in brackets is in that file."""
    said = read(ROOT / "CONTRIBUTING.md").partition("## Where a change begins")[2].partition("Imports run one way")[0]
    lines = said.partition("```")[2].splitlines()

    lost, found = [], 0
    for line in lines:
        folder = ROOT / "lib"
        for name, inside in re.findall(r"([\w./]+\.(?:py|po|css|toml|md)\b|[\w/]+/(?=\W|$))(?: \(([\w, ]+)\))?", line):
            path = next((base / name for base in (ROOT / "lib", ROOT, folder) if (base / name).exists()), None)
            if path is None or (inside and any(one not in read(path) for one in inside.split(", "))):
                lost.append((name, inside))
            else:
                folder, found = path.parent, found + 1
    assert lost == [] and found > 40


def test_no_test_module_needs_another() -> None:
    """What they share stands in a conftest.py or in a module beside them that is no test."""
    modules = sorted((ROOT / "tests").rglob("test_*.py"))
    imports = {
        place(path): re.findall(r"^\s*(?:from|import) (tests\.\S*test_\w+)", read(path), re.M) for path in modules
    }

    assert {path: names for path, names in imports.items() if names} == {}


def test_every_row_of_the_features_has_its_tests() -> None:
    page = read(feature_table.PAGE)

    assert feature_table.written(page) == page, "run `make docs`"


def test_a_row_without_a_test_and_a_mark_without_a_row_are_found() -> None:
    page = read(feature_table.PAGE)
    for changed in (page.replace("| C1 |", "| Z9 |"), page + "| Z9 | nothing | |\n"):
        with pytest.raises(ValueError, match="Z9"):
            feature_table.written(changed)


def test_a_row_that_only_make_soak_proves_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    marked = feature_table.tests()
    marked["C1"] = {"x.py": [f"is slow{feature_table.SOAK}"]}
    monkeypatch.setattr(feature_table, "tests", lambda: marked)
    with pytest.raises(ValueError, match="C1"):
        feature_table.written(read(feature_table.PAGE))


def test_each_step_of_the_database_follows_the_one_before() -> None:
    """Two that were written beside each other and follow the same one are no way to go: the later one is renumbered."""
    files = sorted((ROOT / "lib" / "store" / "migrations" / "versions").glob("[0-9]*.py"))
    found = [
        (path.name[:4], *re.findall(r'^(?:down_)?revision\b.*= (?:"(\d+)"|None)$', read(path), re.M)) for path in files
    ]

    numbers = [f"{number:04}" for number in range(len(files) + 1)]
    assert found == [(own, own, before if before != "0000" else "") for before, own in pairwise(numbers)]


def test_a_new_package_is_under_the_contracts_of_imports() -> None:
    """Those that forbid a library name every package that may not know it: one that is added must be named too."""
    contracts = tomllib.loads(read(ROOT / "pyproject.toml"))["tool"]["importlinter"]["contracts"]
    named = {one["name"]: set(one["source_modules"]) for one in contracts if one["type"] == "forbidden"}
    there = {f"lib.{path.stem}" for path in (ROOT / "lib").iterdir() if path.suffix == ".py" or path.is_dir()}
    there -= {"lib.__init__", "lib.__pycache__"}

    internals = {"lib.streamlit_drawing", "lib.streamlit_internals"}
    assert there - named["Only the pages know Streamlit"] == {"lib.ui", *internals}
    assert there - named["Only the gateway knows httpx"] == {"lib.gateway"}


def test_what_pops_up_is_drawn_by_a_run_and_never_in_a_callback() -> None:
    """Before a part of the page runs alone, `st.toast` takes the place of the page's own styles, which are gone then:
    callbacks have `pop_up()`. These three draw in a run, after the styles."""
    own = sorted([*(ROOT / "lib").rglob("*.py"), *(ROOT / "pages").glob("*.py")])
    direct = [place(path) for path in own if re.search(r"\btoast\(", read(path))]

    assert direct == ["lib/ui/shared/frame.py", "lib/ui/shared/saved_file.py", "lib/ui/usage/call_dialog.py"]
