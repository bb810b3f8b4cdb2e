"""Texts that go along with a message are part of its text, and come apart again to the letter."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lib.chat import attachments
from lib.chat.attachments import Attachment
from lib.core.errors import InvalidInput

SIGNS = st.lists(st.sampled_from([*'\n<>/"a文', "</attachment>", '<attachment name="x">\n']), max_size=12).map("".join)
FILES = st.lists(
    st.builds(Attachment, st.sampled_from(["a.txt", "報告.md", 'q"u<o>te', "", "n\nl"]), SIGNS), max_size=3
)


@pytest.mark.row("C44")
@given(SIGNS, FILES)
@example("", [Attachment("a", "")])
@example('x\n\n<attachment name="y">\n', [Attachment("a", "\n</attachment>")])
def test_what_is_joined_comes_apart_to_the_letter(text: str, files: list[Attachment]) -> None:
    whole = attachments.joined(text, files)

    typed, found = attachments.parted(whole)

    assert [one.text for one in found][len(found) - len(files) :] == [one.text for one in files]
    assert attachments.joined(typed, found[:0]) == typed and whole.startswith(typed)
    if "<attachment" not in text:
        assert typed == text and len(found) == len(files)


@pytest.mark.row("T11")
def test_a_files_name_stays_one_line_that_ends_nothing() -> None:
    """What turns the order of the signs behind it, ends a line, or moves a terminal's cursor is taken out."""
    assert attachments.of_file('a\u202e\n\x1b"<b>.txt', b"x").name == "a b .txt"
    assert attachments.of_file("x" * 500 + ".txt", b"x").name == "x" * 116 + ".txt"


def test_only_texts_that_a_message_has_room_for_are_taken(subtests: pytest.Subtests) -> None:
    for content, text in [
        (b"plain\r\nlines", "plain\nlines"),
        ("\ufeffwith a mark 你好".encode(), "with a mark 你好"),
        ("sixteen 你好".encode("utf-16"), "sixteen 你好"),
        (b"%PDF-1.7\n\xe2\xe3\xcf\xd3", "neither a text nor an image"),
        (b"\x7fELF\0\0", "neither a text nor an image"),
        (b" \n", "is empty"),
        (b"x" * 1_000_001, "longer than 1,000,000 characters"),
        (b"x" * 5_000_001, "larger than 5 MB"),
    ]:
        with subtests.test(content=content[:10]):
            try:
                assert attachments.of_file("f.txt", content).text == text
            except InvalidInput as refused:
                assert text in refused.sentence() and "f.txt" in refused.sentence()
    with pytest.raises(InvalidInput, match="At most 20 files"):
        attachments.few_enough([Attachment("a", "b")] * 21)
