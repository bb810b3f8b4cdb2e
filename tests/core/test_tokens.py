"""Token counts: tiktoken's own values, without a network."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lib.core import tokens
from lib.core.request import Message

NO_NETWORK = """
import socket, sys
from pathlib import Path
def refuse(*args, **kwargs): raise AssertionError("the network was used")
socket.socket.connect = refuse
socket.getaddrinfo = refuse
from lib.core import tokens
tokens.place_vocabulary(Path(sys.argv[1]))
print(tokens.count("tiktoken is great!"))
"""


def test_counts_equal_the_published_values_of_o200k_base(subtests: pytest.Subtests) -> None:
    for text, expected in [
        ("", 0),
        ("hello world", 2),
        ("tiktoken is great!", 6),
        ("お誕生日おめでとう", 8),
        ("2 + 2 = 4", 7),
        ("antidisestablishmentarianism", 6),
    ]:
        with subtests.test(text=text):
            assert tokens.count(text) == expected


def test_the_first_count_needs_no_network_and_no_cache(tmp_path: Path) -> None:
    shown = subprocess.run(
        [sys.executable, "-c", NO_NETWORK, str(tmp_path / "vocabulary")],
        env={**os.environ, "TIKTOKEN_CACHE_DIR": str(tmp_path / "vocabulary")},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )

    assert shown.stdout.strip() == "6", shown.stderr


def test_special_tokens_in_a_prompt_are_plain_text() -> None:
    assert tokens.count("<|endoftext|>") > 1


def test_a_prompt_counts_its_messages_and_the_chat_format() -> None:
    messages = [Message(role="system", content="hello world"), Message(role="user", content="hello world")]

    assert tokens.count_prompt(messages) == 3 + 2 * (3 + 1 + 2)
