"""Write the folders in README.md and the modules in docs/modules.md anew, each with its docstring's first sentence."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = {
    "pages": "What the address opens: one short script a page",
    "lib": "",
    "scripts": "What `make` runs",
    "bench": "Measures speed and memory: bench/README.md",
}
"""The folders with modules, and what each one is where no docstring says it."""
TESTS = "A folder for each package of lib/, a file for each subject; pages by AppTest (ui/), in a browser (browser/)"
MARKS = re.compile(r"(?<=<!-- tree -->\n).*?(?=<!-- /tree -->)", re.DOTALL)
WIDTH = 32


def first_sentence(module: Path) -> str:
    """What the module says it is, up to its first full stop, semicolon or blank line."""
    docstring = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))) or ""
    opening = " ".join(docstring.split("\n\n")[0].split())
    return re.split(r"(?<![.\s])[.;](?:\s|$)|[:.]$", opening)[0]


def line(name: str, depth: int, words: str) -> str:
    """A line of the tree."""
    return f"{'  ' * depth + name:<{WIDTH}}{words}".rstrip()


def folder(path: Path, modules: bool, depth: int = 0) -> Iterator[str]:
    """A folder with all that is in it, its `modules` before its folders."""
    about = path / "__init__.py"
    yield line(f"{path.name}/", depth, first_sentence(about) if about.exists() else FOLDERS.get(path.name, ""))
    for module in sorted(path.glob("*.py")) if modules else ():
        if module.name != "__init__.py":
            yield line(module.name, depth + 1, first_sentence(module))
    for inner in sorted(child for child in path.iterdir() if child.is_dir() and any(child.rglob("*.py"))):
        # Migrations are steps and no places to look for anything.
        if inner.name != "versions":
            yield from folder(inner, modules, depth + 1)


def tree(modules: bool) -> str:
    """All folders, with their `modules` or without; tests are named by what they test and need no line each."""
    lines = [line("app.py", 0, first_sentence(ROOT / "app.py"))]
    for name in FOLDERS:
        lines += folder(ROOT / name, modules)
    return "```\n" + "\n".join([*lines, line("tests/", 0, TESTS)]) + "\n```\n"


def main() -> None:
    """Replace what stands between the two marks."""
    for name, modules in (("README.md", False), ("docs/modules.md", True)):
        page = ROOT / name
        before, after = MARKS.split(page.read_text(encoding="utf-8"))
        page.write_text(before + tree(modules) + after, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
