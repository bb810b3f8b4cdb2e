"""Formulas drawn as MathML: what is known is drawn, what is not stays TeX, and nothing but drawing comes out."""

import time
from html import escape
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core.rich_text import text_of_html, to_html, typeset
from lib.core.rich_text.guard import MATH, MATH_VALUES, guarded_formula
from lib.core.rich_text.mathml import LONGEST, MOST_LETTERS, WIDEST, mathml
from tests.examples import examples

DRAWN = {
    r"x^2": "<msup><mi>x</mi><mn>2</mn></msup>",
    r"\frac{a}{b}": "<mfrac><mrow><mi>a</mi></mrow><mrow><mi>b</mi></mrow></mfrac>",
    r"\sqrt[3]{x}": "<mroot>",
    r"\sum_{i=1}^n i": "<munderover>",
    r"\alpha\le\mathbb{R}": "α",
    r"\mathbf{v}\cdot\mathcal{L}": "𝐯",
    r"\begin{pmatrix}1&0\\0&1\end{pmatrix}": "<mtable>",
    r"f(x)=\begin{cases}1&x>0\\0&\text{else}\end{cases}": "<mtext>else</mtext>",
    r"\begin{align}a&=b\\&=c\end{align}": 'columnalign="right"',
    r"\int_0^1 x\,dx": "∫",
    r"\left(\frac12\right)": 'fence="true"',
    r"\boxed{42}": 'intent="boxed"',
    r"\overline{AB}": 'intent="overline"',
    r"\hat{y}": "ˆ",
    r"\lim_{x\to0}\sin x": "<munder>",
    r"50\%": "%",
    r"x \tag{1}": "(1)",
    r"\begin{aligned}x\\y\end{aligned}": "<mi>y</mi>",
    r"x \label{eq:1}": "<mi>x</mi>",
    r"\mbox{if } \abs{x}": "if",
    r"\begin{eqnarray}a&=&b\\c&=&d\end{eqnarray}": 'columnalign="center"',
    r"\ce{2H2 + O2 -> 2H2O}": "<msub><mi>H</mi>",
    r"\ce{SO4^2-}": "<msubsup>",
}
STAYS = (
    r"\href{https://evil.test}{x}", r"\style{color:red}{x}", r"\class{stApp}{x}", r"\unknown{x}", r"\color{red}x",
    r"\text{<img src=x>}\unknown", r"\def\a{\a}\a", r"\rule{9em}{9em}", r"\includegraphics{x}", r"\verb|x|",
    r"\begin{tikzpicture}x\end{tikzpicture}", r"x^", r"\frac{a}", r"\left(x", r"a^b^c", "a & b", r"\sqrt",
    r"\begin{matrix}a", "x+" * LONGEST, "x" * (WIDEST + 1), "{" * 45 + "x" + "}" * 45, "", "\\", r"\unicode{x3c}",
    r"x\hspace{99em}y", r"\newcommand{\a}{b}\a", r"\textcolor{red}{x}", r"\cssId{root}{x}",
)  # fmt: skip
SIGNS = [
    *"abx019+-=<>&^_{}[]()|,.;:'\"%#$~\\!/* \n", "\\\\", r"\frac", r"\sqrt", r"\left", r"\right", r"\text{",
    r"\mathbf{",
    r"\begin{matrix}", r"\end{matrix}", r"\begin{cases}", r"\end{cases}", r"\begin{align}", r"\end{align}", r"\sum",
    r"\hat", r"\href{javascript:x}", r"\class{", r"\style{", r"\color{red}", r"\limits", r"\not", r"\overset", r"\bigl",
    r"\operatorname{", r"\tag{", r"\pmod", r"\overline", r"\boxed{", r"\middle", r"\xrightarrow", r"\quad", r"\alpha",
    r"\ce{", r"\abs{", r"\dv", r"\label{",
    "<script>", "</math>", "&lt;", "&#60;", "</mtext><a href=x>", "onload=", "http://x.y", "\u202e", "中", "\x00", "𝐯",
]  # fmt: skip


def test_what_is_known_is_drawn(subtests: pytest.Subtests) -> None:
    for tex, part in DRAWN.items():
        for display in (False, True):
            with subtests.test(tex=tex, display=display):
                found = mathml(tex, display)
                assert found and part in found and f'alttext="{escape(tex)}"' in found
                assert ("display=" in found) == display
                assert "\\" not in text_of_html(found)


def test_what_is_not_known_or_broken_or_too_long_stays_tex(subtests: pytest.Subtests) -> None:
    for tex in STAYS:
        with subtests.test(tex=tex[:60]):
            written = f'<span class="formula">${escape(tex, quote=False)}$</span>'
            assert mathml(tex, True) is None
            assert typeset(written) == written


@given(st.lists(st.sampled_from(SIGNS), max_size=25).map("".join), st.booleans())
@settings(max_examples=examples(600), deadline=None)
def test_nothing_but_drawing_comes_out(tex: str, display: bool) -> None:
    found = mathml(tex, display)

    if found is None:
        return
    for element in ElementTree.fromstring(found.replace("&nbsp;", " ")).iter():
        assert element.tag in MATH
        assert element.attrib.keys() <= MATH_VALUES.keys()
        told = [value for name, value in element.attrib.items() if name != "alttext"]
        assert not any(":" in value or "/" in value.replace("application/", "") for value in told)


@given(st.text(max_size=30))
@settings(max_examples=examples(200), deadline=None)
def test_any_text_is_drawn_or_left(tex: str) -> None:
    for written in (f"$x^2 {tex}$", f"$$\n{tex}\n$$", f"\\[{tex}\\]"):
        found = typeset(to_html(written))
        assert "<script" not in found and "<annotation" not in found


def test_the_guard_of_formulas_alone_lets_nothing_foreign_pass(subtests: pytest.Subtests) -> None:
    for hole in (
        '<math><mi href="javascript:alert(1)">a</mi></math>',
        '<math><maction actiontype="statusline" xlink:href="http://evil.test">a</maction></math>',
        '<math><mtext><script>alert(1)</script><img src="http://evil.test"></mtext></math>',
        '<math><mi class="stApp" style="background:url(http://evil.test)" id="root" onclick="alert(1)">a</mi></math>',
        '<math><annotation-xml encoding="text/html"><iframe src="http://evil.test"></iframe></annotation-xml></math>',
        '<math><mspace width="900em" height="4000px"></mspace></math>',
    ):
        with subtests.test(hole=hole):
            made = guarded_formula(hole)
            bad = ("evil", "alert", "class", "style", " id", "<script", "<img", "<iframe", "900", "4000")
            assert not [word for word in bad if word in made]


def test_a_text_without_end_takes_seconds_at_most(subtests: pytest.Subtests) -> None:
    for name, text in {
        "one formula": f"$${'x+' * 100_000}$$",
        "many formulas": r"$\frac{a_1}{b}+\sqrt{x}$ " * 8_000,
        "braces": f"$${'{' * 100_000}$$",
        "rows": "$$\\begin{matrix}" + "a&b\\\\" * 30_000 + "\\end{matrix}$$",
        "powers": "$$" + "x^{" * 500 + "}" * 500 + "$$",
        "lefts": "$$" + "\\left(" * 300 + "\\right)" * 300 + "$$",
    }.items():
        with subtests.test(name=name):
            html = to_html(text)
            mathml.cache_clear()
            begun = time.process_time()
            typeset(html)
            assert time.process_time() - begun < 2


def test_of_very_many_formulas_the_first_are_drawn() -> None:
    one = r"$\frac{a}{b}+\sqrt{x}$"
    found = typeset("".join(f'<span class="formula">{one}</span>' for _ in range(2 * MOST_LETTERS // len(one))))

    assert found.startswith("<math") and found.endswith(f"{one}</span>")
    assert found.count("<math") == MOST_LETTERS // len(one)
