"""What an answer holds beside its text: as Markdown it shows foreign words to the letter, and loads nothing."""

import json
import re
import wave
from base64 import b64encode
from io import BytesIO

from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core import parts
from lib.core.rich_text import render
from tests.examples import examples

EVIL = [
    "![x](https://evil.example/x.png)",
    "[x](https://evil.example)",
    "<https://evil.example>",
    "](https://evil.example)",
]
HOSTILE = st.lists(
    st.text("![]()<>`*_~|\\ \n:/azM#&;\"'", max_size=12)
    | st.sampled_from([*EVIL, "https://evil.example", "www.evil.example"]),
    max_size=4,
).map("".join)
LINK = re.compile(r'<a href="([^"]*)"')


@given(HOSTILE, HOSTILE)
@settings(max_examples=examples(200), deadline=None)
def test_a_source_is_one_link_to_its_own_address_whatever_its_title(title: str, path: str) -> None:
    listed = parts.sources([{"type": "source", "url": f"https://a.example/{path}", "title": title}])
    drawn = "".join(render(listed))

    assert "<img" not in drawn
    assert {found.startswith("https://a.example/") for found in LINK.findall(drawn)} <= {True}
    assert len(LINK.findall(drawn)) <= 1


@given(HOSTILE, HOSTILE)
@settings(max_examples=examples(200), deadline=None)
def test_a_tools_call_in_a_file_ends_nowhere_but_at_its_end(name: str, arguments: str) -> None:
    kept = parts.to_markdown([{"type": "tool_call", "name": name, "arguments": arguments, "id": "c"}])
    drawn = "".join(render(kept))

    assert "<img" not in drawn and "<a " not in drawn
    assert drawn.count("<pre>") == 1


def test_arguments_are_indented_where_they_are_json_and_to_the_letter_elsewhere() -> None:
    assert parts.readable('{"a":1}') == '{\n  "a": 1\n}'
    for arguments in ('{"a":', "ls -l", "", "[" * 100_000):
        assert parts.readable(arguments) == arguments


def test_bare_samples_become_a_file_that_players_take() -> None:
    samples = bytes(range(200)) + b"x"
    data, kind = parts.sound({"type": "audio", "data": b64encode(samples).decode(), "format": "pcm16"})

    with wave.open(BytesIO(data)) as sound:
        assert (kind, sound.getframerate(), sound.getnframes()) == ("wav", 24_000, 100)


@given(st.text(max_size=20), st.text(max_size=20))
@settings(max_examples=examples(100), deadline=None)
def test_any_sound_is_a_file_or_nothing(data: str, kind: str) -> None:
    _, ending = parts.sound({"type": "audio", "data": data, "format": kind})

    assert ending == "" or ending.isalnum()


def test_a_message_holds_parts_as_services_send_them() -> None:
    message = parts.to_message(
        [
            {"type": "tool_call", "name": "f", "arguments": "{}", "id": "c"},
            {"type": "source", "url": "https://a.example/", "title": "A"},
            {"type": "refusal"},
            {"type": "unheard of", "name": 7},
        ]
    )

    assert json.loads(json.dumps(message)) == {
        "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
        "annotations": [{"type": "url_citation", "url_citation": {"url": "https://a.example/", "title": "A"}}],
    }
    assert parts.to_message([]) == {}
