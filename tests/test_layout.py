"""The rules of the house, held by reading its code."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = [*ROOT.glob("lib/**/*.py"), *ROOT.glob("pages/*.py"), ROOT / "app.py"]
FOREIGN_TO_CORE = {"httpx", "sqlalchemy", "alembic", "streamlit", "asyncio", "subprocess"}


def imports(path: Path) -> set[str]:
    """Full names of all modules that a file imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return found


def top_level(path: Path) -> set[str]:
    return {name.partition(".")[0] for name in imports(path)}


def place(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", FILES, ids=place)
def test_only_the_pages_know_streamlit(path: Path) -> None:
    if not place(path).startswith(("lib/ui/", "pages/", "app.py")):
        assert "streamlit" not in top_level(path)


@pytest.mark.parametrize("path", FILES, ids=place)
def test_only_the_gateway_knows_httpx(path: Path) -> None:
    if not place(path).startswith("lib/gateway/"):
        assert "httpx" not in top_level(path)


@pytest.mark.parametrize("path", FILES, ids=place)
def test_services_never_import_pages_and_values_never_import_services(path: Path) -> None:
    ours = {name for name in imports(path) if name.startswith(("lib.", "pages"))}
    if place(path).startswith("lib/") and not place(path).startswith("lib/ui/"):
        assert not {name for name in ours if name.startswith(("lib.ui", "pages"))}
    if place(path).startswith("lib/core/"):
        assert not top_level(path) & FOREIGN_TO_CORE
        assert all(name.startswith("lib.core") for name in ours if name.startswith("lib."))
        assert "environ" not in path.read_text(encoding="utf-8")


def test_no_two_modules_import_each_other() -> None:
    modules = {place(path).removesuffix(".py").replace("/", "."): path for path in FILES}
    needs = {name: imports(path) & modules.keys() for name, path in modules.items()}

    def reaches(start: str) -> set[str]:
        seen: set[str] = set()
        todo = list(needs[start])
        while todo:
            name = todo.pop()
            if name not in seen:
                seen.add(name)
                todo.extend(needs[name])
        return seen

    assert [name for name in modules if name in reaches(name)] == []


@pytest.mark.parametrize("path", FILES, ids=place)
def test_every_file_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or path.name == "__init__.py"
