"""Cutting a growing Markdown text: what was frozen stays as it is, and nothing is lost."""

from hypothesis import given
from hypothesis import strategies as st

from lib.ui.shared.markdown_blocks import blocks

LINES = st.lists(
    st.sampled_from(["", "word", "- item", "  more", "```", "```py", "~~~", "$$", "| a |", "# head", "\t"])
)


@given(LINES)
def test_blocks_hold_the_whole_text(lines: list[str]) -> None:
    text = "\n".join(lines)

    assert "".join("".join(blocks(text)).split()) == "".join(text.split())


@given(LINES, LINES)
def test_a_finished_block_never_changes_however_the_text_goes_on(lines: list[str], more: list[str]) -> None:
    before = blocks("\n".join(lines))[:-1]
    after = blocks("\n".join([*lines, *more]))

    assert after[: len(before)] == before


def test_a_code_block_with_blank_lines_is_one_block() -> None:
    assert blocks("Look:\n\n```py\na = 1\n\nb = 2\n```\n\nDone.") == ["Look:", "```py\na = 1\n\nb = 2\n```", "Done."]


def test_an_indented_continuation_stays_with_its_list_item() -> None:
    assert blocks("1. one\n\n   still one\n\n2. two") == ["1. one\n\n   still one", "2. two"]


def test_a_formula_with_blank_lines_is_one_block() -> None:
    assert blocks("$$\na\n\nb\n$$\n\nend") == ["$$\na\n\nb\n$$", "end"]
