"""Foreign text as Markdown: nothing is fetched, and formulas are formulas."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.ui.shared.markdown import rendered


def test_formulas_and_lines(subtests: pytest.Subtests) -> None:
    for text, shown in [
        (r"So \( x^2 \) it is", "So $x^2$ it is"),
        ("\\[\n\\frac{a}{b}\n\\]", "$$\n\\frac{a}{b}\n$$"),
        (r"`\(x\)` and \(y\)", r"`\(x\)` and $y$"),
        ("```\n\\(x\\)\n```", "```\n\\(x\\)\n```"),
        (r"a \( b", r"a \( b"),
        ("one\ntwo", "one  \ntwo"),
    ]:
        with subtests.test(text=text):
            assert rendered(text) == shown


@pytest.mark.row("T9")
@given(st.text("![]()\\`$ab\n"))
def test_no_image_mark_is_left(text: str) -> None:
    assert "![" not in rendered(text)
