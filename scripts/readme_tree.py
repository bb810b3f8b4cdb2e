"""Write the file tree in README.md anew: one line per module, the first sentence of its docstring."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("pages", "lib", "lib/ui", "scripts", "bench")
PLACE = re.compile(r"(?<=<!-- tree -->\n).*?(?=<!-- /tree -->)", re.DOTALL)


def first_sentence(module: Path) -> str:
    """What the module says it is, up to its first full stop, semicolon or blank line."""
    docstring = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))) or ""
    opening = " ".join(docstring.split("\n\n")[0].split())
    return re.split(r"(?<![.\s])[.;](?:\s|$)|[:.]$", opening)[0]


def lines() -> Iterator[str]:
    """The tree, folder by folder; tests are named by what they test and need no line each."""
    yield f"{'app.py':<28}{first_sentence(ROOT / 'app.py')}"
    for folder in FOLDERS:
        modules = sorted(path for path in (ROOT / folder).glob("*.py") if path.name != "__init__.py")
        if modules:
            yield f"{folder}/"
        for path in modules:
            yield f"{'  ' + path.name:<28}{first_sentence(path)}"
    yield f"{'tests/':<28}test_<module>.py for each module; pages through AppTest and in a real browser"


def main() -> None:
    """Replace what stands between the two marks."""
    readme = ROOT / "README.md"
    tree = "```\n" + "\n".join(lines()) + "\n```\n"
    readme.write_text(PLACE.sub(lambda _: tree, readme.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
