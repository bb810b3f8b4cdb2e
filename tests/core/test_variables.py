"""Variables in double braces: which there are, and what becomes of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.core.variables import filled, names


def test_variables_are_named_once_in_their_order() -> None:
    text = "{{b}} {{ a }} {{b}} {{语言}} {{two words}} {{}} {{ }} {{_x}} {{a.b|c}} {single} {{a\n}} {{a\nb}} {{a"
    assert names(text) == ["b", "a", "语言", "two words", "_x", "a.b|c"]


@pytest.mark.row("T24")
@given(st.text(), st.text())
def test_what_is_filled_in_is_never_read_as_a_variable(one: str, two: str) -> None:
    values = {"one": one + "{{two}} {0} {one.__class__} %s", "two": two}
    assert filled("{{one}}|{{two}}|{{three}}", values) == f"{values['one']}|{two}|{{{{three}}}}"


PLAIN = st.text(st.characters(exclude_characters="{}"))
NAMES = st.sampled_from(["a", "two words", "语言", "a.b"])


@given(st.lists(st.tuples(PLAIN, NAMES)), st.dictionaries(NAMES, st.text()))
def test_each_variable_becomes_its_value_and_all_else_stays_to_the_letter(
    pieces: list[tuple[str, str]], values: dict[str, str]
) -> None:
    text = "".join(f"{plain}{{{{ {name} }}}}" for plain, name in pieces)
    wanted = "".join(plain + values.get(name, f"{{{{ {name} }}}}") for plain, name in pieces)
    assert filled(text, values) == wanted
