"""What the operator of a shared Tempera allows one request and one sweep to ask for."""

from pathlib import Path

import pytest

from lib.core.errors import NotAllowed
from lib.core.limits import NO_LIMITS, Cap, Limits
from lib.core.parameters import Params
from lib.core.request import ChatRequest, Message
from lib.settings import Settings

SET = Limits(models=("apiyi/gpt-4o*", "own/*"), n=2, max_tokens=100, prompt_characters=10, further_fields=False)


def asked(model: str = "gpt-4o-mini", prompt: str = "hi", **params: object) -> ChatRequest:
    return ChatRequest(model, (Message(role="user", content=prompt),), Params.model_validate(params))


@pytest.mark.row("T15")
def test_what_is_more_than_allowed_is_refused_and_says_how_much_is(subtests: pytest.Subtests) -> None:
    for request, words in (
        (asked("gpt-5"), "“gpt-5” can't be used here"),
        (asked("x/gpt-4o"), "can't be used here"),
        (asked(n=3), "At most 2 versions"),
        (asked(max_tokens=101), "at most 100 here"),
        (asked(prompt="x" * 11), "This is 11 characters long; here a request can have at most 10"),
        (asked(extra_fields={"best_of": 20}), "Further fields can't be sent here"),
        (asked(extra_fields={"models": ["gpt-5"]}), "Further fields can't be sent here"),
    ):
        with subtests.test(words), pytest.raises(NotAllowed) as refused:
            SET.applied(request, "apiyi")
        assert words in refused.value.sentence(), words
    for fine in (asked(n=2, max_tokens=100, prompt="x" * 10), asked("gpt-4o")):
        assert SET.applied(fine, "apiyi").params.max_tokens == 100, "the longest answer is always bounded"
    assert SET.applied(asked("any", extra_fields={"a": 1}), "").model == "any", "what the operator does not pay for"
    with pytest.raises(NotAllowed):
        SET.applied(asked("any", n=3), "")
    with pytest.raises(NotAllowed, match="300"):
        Limits().where_many_share().check_sweep(301)


def test_on_ones_own_computer_nothing_is_changed() -> None:
    request = asked(n=128, max_tokens=10_000_000, prompt="x" * 999_999, extra_fields={"best_of": 20})

    assert NO_LIMITS.applied(request, "apiyi") is request
    NO_LIMITS.check_sweep(2_000)


@pytest.mark.row("T15", "T14")
def test_limits_and_caps_are_read_from_the_environment_and_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "secrets.toml"
    limits = "[limits]\nmodels = ['apiyi/gpt-4o*']\nn = 3\n"
    caps = "[caps.visitor.day]\ntokens = 1000\n[caps.all.hour]\ncost = 2.5\n"
    file.write_text(limits + caps)
    monkeypatch.setitem(Settings.model_config, "toml_file", file)
    for name, value in (("LIMITS__N", "7"), ("LIMITS__MAX_TOKENS", "50"), ("CAPS__VISITOR__DAY__CALLS", "9")):
        monkeypatch.setenv(f"TEMPERA_{name}", value)
    found = Settings.load()

    used = found.limits.where_many_share()
    assert (used.models, used.n, used.max_tokens, used.at_once) == (("apiyi/gpt-4o*",), 7, 50, 8)
    assert not used.further_fields
    assert set(found.caps.caps()) == {
        Cap("visitor", "day", "calls", 9), Cap("visitor", "day", "tokens", 1000), Cap("all", "hour", "USD", 2.5),
    }  # fmt: skip
