"""What a hostile text costs: time, output and elements are bounded, and still nothing of it is lost."""

import base64
import io
import time

import pytest
from PIL import Image

from lib.core.images import MAX_IMAGES
from lib.core.rich_text import Growing, as_typed, literal, render, to_html
from lib.core.rich_text.source import MAX_MARKED
from tests.seen import text

MANY = 1_500
HOSTILE = {
    "brackets": "[" * MANY,
    "pictures": "![" * MANY,
    "link starts": "[a](" * MANY,
    "angles": "<a " * MANY,
    "backticks": "".join("`" * count + "e" for count in range(1, 150)),
    "stars": "**a *b " * MANY,
    "stars and underscores": "*_" * MANY,
    "many closers": "**a " * MANY + "b** " * MANY,
    "tildes": "~~a" * MANY,
    "dollars": "$a" * MANY,
    "double dollars": "$$\n" * MANY,
    "brackets of TeX": "\\(a\\[" * MANY,
    "lines of TeX": "\\[\n" * MANY,
    "environments": "\\begin{align}\n" * MANY,
    "quotations": ">" * MANY,
    "lists": "- " * MANY,
    "a staircase": "\n".join("  " * depth + "- a" for depth in range(300)),
    "addresses": "http://a " * MANY,
    "addresses in one": "http://" * MANY,
    "mailboxes": "a@" * MANY,
    "entities": "&#" * MANY,
    "a wide table": "|a" * 200 + "|\n" + "|-" * 200 + "|\n" + "a\n" * 100,
    "definitions": "".join(f"[a{number}]: http://x/{number}\n" for number in range(MANY // 4)),
    "lines of brackets": "[\n" * MANY,
    "footnotes in footnotes": "[^a]: " * MANY,
    "paragraphs": "a\n\n" * MANY,
    "backslashes": "\\" * MANY,
    "underlines": "a\n=" * MANY,
    "fences": "```\n" * MANY,
    "line breaks": "<br>" * MANY,
    "words without spaces": "**中" * MANY,
    "marks": "（" * MANY + "**" * 500,
    "right to left": "- א\n" * MANY,
}


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_text_takes_seconds_at_most(hostile: str) -> None:
    """What takes a square of its length takes half a minute here."""
    start = time.process_time()
    pieces = render(hostile)
    Growing().pieces(hostile, "▌")
    as_typed(hostile), literal(hostile)

    assert time.process_time() - start < 2
    assert len(pieces) <= 400


def test_what_stands_too_deep_is_text_and_is_not_lost() -> None:
    for deep in (
        "> " * 200 + "end",
        "- " * 200 + "end",
        "\n".join("  " * depth + "- a" for depth in range(60)) + " end",
    ):
        assert "end" in text(to_html(deep))
        assert to_html(deep).count("<blockquote>") + to_html(deep).count("<ul>") <= 20


def test_one_long_definition_makes_no_long_page() -> None:
    html = to_html(f"[a]: http://x.y/{'z' * 1_900}\n\n" + "[a] " * 5_000)

    assert len(html) < 1_000_000
    assert text(html).count("a") >= 5_000


def test_a_very_long_text_goes_on_as_typed() -> None:
    line = "**bold** words that go on\n\n"
    long = line * (MAX_MARKED // len(line) + 100)
    pieces = render(long)

    assert len(pieces) < 400
    assert "**bold**" in pieces[-1] and "<strong>bold</strong>" in pieces[0]
    assert sum(piece.count("bold") for piece in pieces) == long.count("bold")


def picture(width: int = 8) -> str:
    file = io.BytesIO()
    Image.new("RGB", (width, width)).save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def test_a_long_picture_is_shown_as_quickly_as_a_short_one_and_code_keeps_its_data() -> None:
    padded = picture() + "A" * 4_000_000
    start = time.process_time()
    html = to_html(f"![a]({padded})")

    assert time.process_time() - start < 4
    assert html.count("<img ") == 1
    assert padded in to_html(f"`{padded}`")


def test_no_text_can_stand_for_the_data_of_another_place() -> None:
    long = picture(900)
    html = to_html(f"![a]({long}) and data:image/x0x0. and ![b](data:image/x0x0.)")

    assert html.count("<img ") == 1
    assert "and data:image/x0x0. and" in html


def test_only_so_many_pictures_and_formulas() -> None:
    html = to_html(f"![p]({picture()})\n" * (MAX_IMAGES + 3) + "\n" + "$x^2$ " * 1_500)

    assert html.count("<img ") == MAX_IMAGES
    assert html.count('class="formula"') == 1_000
    assert html.count("x^2") == 1_500


def test_a_picture_is_shown_only_when_it_is_one() -> None:
    for address in (
        "data:image/svg+xml;base64,PHN2Zz48L3N2Zz4=",
        "data:image/png;base64,AAAA",
        "data:text/html;base64,PHNjcmlwdD4=",
        "data:image/png,raw",
        picture()[:40] + "%%%",
    ):
        html = to_html(f"![what]({address})")
        assert "<img" not in html and "<a" not in html
        assert "what" in html


def test_tex_that_draws_over_the_page_links_or_defines_stays_text() -> None:
    for tex in (
        r"\rule{99em}{99em}",
        r"x\raisebox{-400pt}{y}",
        r"\href{https://evil.test}{x}",
        r"\includegraphics{https://evil.test/x.png}",
        r"\def\a{\a\a}\a",
        r"\htmlStyle{position:fixed}{x}",
        "{" * 60 + "x^2" + "}" * 60,
        "x^2" * 2_000,
    ):
        for written in (f"${tex}$", f"$$\n{tex}\n$$", f"\\({tex}\\)", f"\\[{tex}\\]"):
            assert 'class="formula' not in to_html(written), written
