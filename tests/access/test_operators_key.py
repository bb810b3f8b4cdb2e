"""The operator's key comes to nobody who shares a Tempera: all that the server sends to a visitor is read."""

import json
from pathlib import Path

import pytest

from tests.fake_api import FakeApi
from tests.key_forms import forms_of
from tests.over_http import ask, shared_app, sign_in
from tests.pages import host
from tests.tabs import open_tab

OPERATORS = "sk-canary-of-the-operator-4711-not-for-browsers"
REFUSED = b"does not accept this key"


@pytest.mark.row("T1")
def test_nothing_that_comes_holds_the_operators_key(tmp_path: Path, api: FakeApi) -> None:
    """Not even where the service repeats it in its refusal, nor where a request is shown as it was sent."""
    words = {"error": {"message": f"Incorrect API key provided: {OPERATORS}.", "code": "invalid_api_key"}}
    api.script("repeats", json.dumps(words).encode(), status=401)
    with shared_app(tmp_path, TEMPERA_BASE_URL=api.base_url, TEMPERA_API_KEY=OPERATORS) as app:
        cookie = sign_in(app).cookie
        pages = [ask(app, "GET", path, Cookie=cookie) for path in ("/", "/sweep", "/usage")]
        refused, echo = (f"{host(api)}/{name}" for name in ("repeats", "echo"))
        with open_tab(app, f"model={refused}", cookie) as chat:
            chat.run(text="Hello")
            while "figures_0" not in chat.drawn:
                chat.read_run()
            for pressed in ("figures_0", "inspect_0", "connection_open"):
                chat.run(pressed=pressed)
            chat.run(page="usage")
        with open_tab(app, f"model={echo}", cookie) as other:
            other.query = f"models={refused},{echo}&temperatures=0&repeats=1&prompt=Hello"
            other.run(page="sweep")
            other.run(pressed="sweep_run", page="sweep")
            for _look in range(100):  # as a browser does every second
                if REFUSED in b"".join(other.received):
                    break
                other.run(page="sweep")

    received = [*map(repr, pages), *chat.received, *other.received]
    for tab in (chat, other):
        assert any(REFUSED in one for one in tab.received), "so it would be seen"
    seen = [one.encode() if isinstance(one, str) else one for one in received]
    assert [form for form in forms_of(OPERATORS) if any(form in one for one in seen)] == []
    assert {one.authorization[-4:] for one in api.requests} == {OPERATORS[-4:]}
