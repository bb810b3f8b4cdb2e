"""Write the tests into docs/features.md anew: behind each row those that are marked with it; one of them at least has
to run with `make test`."""

import ast
import re
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "features.md"
ROW = re.compile(r"^\| ([A-Z]\d+) \| (.*?) \|.*\|$", re.MULTILINE)
SOAK = " (soak)"
"""Behind a test that `make soak` alone runs."""


@cache
def marks(module: Path) -> list[tuple[str, str]]:
    """Each row that a test of the module is marked with, and the test's name as a sentence."""
    found: list[tuple[str, str]] = []
    # Read and not imported: importing the tests would start what they start.
    for node in ast.parse(module.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            sentence = node.name.removeprefix("test_").replace("_", " ")
            if "pytest.mark.soak" in map(ast.unparse, node.decorator_list):
                sentence += SOAK
            for mark in node.decorator_list:
                if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.row":
                    found += [(ast.literal_eval(code), sentence) for code in mark.args]
    return found


def tests() -> dict[str, dict[str, list[str]]]:
    """For each row that is marked anywhere: its tests, by their file."""
    found: dict[str, dict[str, list[str]]] = {}
    for module in sorted((ROOT / "tests").rglob("test_*.py")):
        place = module.relative_to(ROOT / "tests").as_posix()
        for code, sentence in marks(module):
            found.setdefault(code, {}).setdefault(place, []).append(sentence)
    return found


def written(page: str) -> str:
    """The page with the tests of today; raises ValueError for a row without a test, or with none that `make test`
    runs, and for a mark without a row."""
    marked, rows = tests(), {code for code, _words in ROW.findall(page)}
    lost = sorted(rows ^ marked.keys())
    if lost:
        raise ValueError(f"in docs/features.md or on a test, but not on both: {', '.join(lost)}")
    said = [(code, one) for code, files in marked.items() for of_file in files.values() for one in of_file]
    late = sorted(rows - {code for code, one in said if not one.endswith(SOAK)})
    if late:
        raise ValueError(f"no test that `make test` runs: {', '.join(late)}")

    def line(row: re.Match[str]) -> str:
        files = [f"`{place}`: {'; '.join(said)}" for place, said in marked[row[1]].items()]
        return f"| {row[1]} | {row[2]} | {'<br>'.join(files)} |"

    return ROW.sub(line, page)


def main() -> None:
    """Replace the last column of each table."""
    try:
        page = written(PAGE.read_text(encoding="utf-8"))
    except ValueError as lost:
        sys.exit(str(lost))
    PAGE.write_text(page, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
