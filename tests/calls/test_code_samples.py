"""View code: each program is run as it stands against the fake service and has to send the very same body."""

import json
from pathlib import Path

import pytest

from lib.calls.code_samples import SAMPLES
from lib.core.parameters import Params
from lib.core.request import ChatRequest, Message
from tests.fake_api import FakeApi
from tests.pages import bodies
from tests.sample_programs import printed

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


@pytest.mark.row("C23")
@pytest.mark.parametrize(
    ("title", "stream"),
    [
        *((title, True) for title in SAMPLES),
        ("curl", False),
        *(pytest.param(title, False, marks=pytest.mark.soak) for title in SAMPLES if title != "curl"),
    ],
)
def test_the_code_shown_makes_the_same_request(title: str, stream: bool, api: FakeApi, tmp_path: Path) -> None:
    asked = request(stream)
    code = SAMPLES[title][0](f"{api.base_url}/chat/completions", asked.body())

    assert "said" in printed(title, code, tmp_path)
    assert bodies(api) == [wire(asked)]
    assert "sk-made-up" not in code


def wire(asked: ChatRequest) -> dict[str, object]:
    """The body as the app itself sends it."""
    sent: dict[str, object] = json.loads(json.dumps(asked.body(), ensure_ascii=False).encode("utf-8", "replace"))
    return sent


@pytest.mark.row("C23")
def test_half_a_character_is_sent_as_the_app_sends_it(subtests: pytest.Subtests) -> None:
    """A lone surrogate can stand in no file."""
    for title in SAMPLES:
        with subtests.test(title=title):
            body = ChatRequest("echo", (Message(role="user", content="half \ud83d"),)).body()

            assert SAMPLES[title][0]("https://api.example.com/v1/chat/completions", body).encode("utf-8")
