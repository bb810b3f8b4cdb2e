"""Foreign text as Markdown: nothing is fetched, and formulas are formulas."""

import re

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


@pytest.mark.row("T8")
@pytest.mark.parametrize(
    "link",
    [
        "[x](data:text/html,<script>alert(1)</script>)",
        "[x]( <data:text/html;base64,PHNjcmlwdD4=>)",
        "[x](\nDATA:text/html,a)",
        "[x](&#100;ata:text/html,a)",
        "[x](data\\:text/html,a)",
        "[x](data&colon;text/html,a)",
        "[x][y]\n\n[y]: data:text/html,a",
        "[x][y]\n\n[y]: <data:text/html,a>",
        "<data:text/html,a>",
        "![x](data:text/html,a)",
        "[x](javascript:alert(1))",
    ],
)
def test_a_link_that_holds_a_document_or_a_script_is_no_link(link: str) -> None:
    """What would be its beginning is parted by a space without width."""
    assert re.search("\\]\u200b[(:]|<\u200bdata", rendered(link))


@pytest.mark.parametrize("link", ["[x](https://a.example/data:x)", "<https://a.example>", "[x](/data)", "a[0](data)"])
def test_other_links_stay(link: str) -> None:
    assert rendered(link) == link
