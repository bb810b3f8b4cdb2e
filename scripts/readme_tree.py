"""Write the file tree in README.md anew: one line per module, the first sentence of its docstring."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("pages", "lib", "scripts", "bench")
PLACE = re.compile(r"(?<=<!-- tree -->\n).*?(?=<!-- /tree -->)", re.DOTALL)
WIDTH = 32


def first_sentence(module: Path) -> str:
    """What the module says it is, up to its first full stop, semicolon or blank line."""
    docstring = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))) or ""
    opening = " ".join(docstring.split("\n\n")[0].split())
    return re.split(r"(?<![.\s])[.;](?:\s|$)|[:.]$", opening)[0]


def line(name: str, depth: int, words: str) -> str:
    """A line of the tree."""
    return f"{'  ' * depth + name:<{WIDTH}}{words}".rstrip()


def folder(path: Path, depth: int = 0) -> Iterator[str]:
    """A folder with all that is in it, modules before folders."""
    about = path / "__init__.py"
    yield line(f"{path.name}/", depth, first_sentence(about) if about.exists() else "")
    for module in sorted(path.glob("*.py")):
        if module.name != "__init__.py":
            yield line(module.name, depth + 1, first_sentence(module))
    for inner in sorted(child for child in path.iterdir() if child.is_dir() and any(child.rglob("*.py"))):
        # Migrations are steps and no places to look for anything.
        if inner.name != "versions":
            yield from folder(inner, depth + 1)


def lines() -> Iterator[str]:
    """The whole tree; tests are named by what they test and need no line each."""
    yield line("app.py", 0, first_sentence(ROOT / "app.py"))
    for name in FOLDERS:
        yield from folder(ROOT / name)
    yield line(
        "tests/", 0, "mirrors lib/: test_<module>.py; pages through AppTest (ui/) and in a real browser (browser/)"
    )


def main() -> None:
    """Replace what stands between the two marks."""
    readme = ROOT / "README.md"
    tree = "```\n" + "\n".join(lines()) + "\n```\n"
    readme.write_text(PLACE.sub(lambda _: tree, readme.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
