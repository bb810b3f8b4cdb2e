"""What models don't take: which refusals count, and what is remembered, for whom and how long."""

from typing import Any

import pytest
from sqlalchemy import Connection, update

from lib.calls import unsupported_params
from lib.core.errors import BadParameter
from lib.core.parameters import Params
from lib.core.request import ChatRequest, Message
from lib.gateway.error_mapping import error_from
from lib.gateway.response_info import ResponseInfo
from lib.store import schema
from lib.store.database import Store

HERE = "https://api.example.com/v1"
MANY = Params(
    temperature=0.7, max_tokens=9, top_p=0.5, n=2, stream=True, stop=("x",), presence_penalty=1, frequency_penalty=1
)


def asked(model: str = "m", unsupported: tuple[str, ...] = (), params: Params = MANY) -> ChatRequest:
    return ChatRequest(model, (Message(role="user", content="hi"),), params, frozenset(unsupported))


def found(body: Any, request: ChatRequest, status: int = 400) -> set[str]:
    """What a service's error body is understood to refuse."""
    error = error_from(ResponseInfo(status, body))
    assert isinstance(error, BadParameter)
    return set(unsupported_params.named_in(error, request))


def openai(message: str, param: str | None = None, code: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}}


def test_a_field_that_is_not_taken_is_found(subtests: pytest.Subtests) -> None:
    for body, names in [
        (openai("Unsupported parameter: stop", "stop", "unsupported_parameter"), {"stop"}),
        (openai("Unsupported parameter: stop"), {"stop"}),
        (
            openai(
                "Unsupported value: 'temperature' does not support 0.7 with this model. "
                "Only the default (1) value is supported.",
                "temperature",
                "unsupported_value",
            ),
            {"temperature"},
        ),
        (
            {"code": "invalid-argument", "error": "Model grok-4 does not support parameter presencePenalty."},
            {"presence_penalty"},
        ),
        (openai("Penalty is not enabled for this model"), {"presence_penalty", "frequency_penalty"}),
        (openai("Multiple candidates is not enabled for this model"), {"n"}),
        (
            [{"error": {"code": 400, "message": 'Invalid JSON payload. Unknown name "topP": Cannot find field.'}}],
            {"top_p"},
        ),
        (
            {
                "detail": [
                    {
                        "type": "extra_forbidden",
                        "loc": ["body", "stream_options"],
                        "msg": "Extra inputs are not permitted",
                    }
                ]
            },
            {"stream_options"},
        ),
        (openai("invalid stream_options", "stream_options"), {"stream_options"}),
        (openai("`temperature` is deprecated for this model."), {"temperature"}),
        (openai("temperature 参数不支持", "temperature"), {"temperature"}),
    ]:
        with subtests.test(body=body):
            assert found(body, asked()) == names


def test_a_refused_value_and_what_was_not_sent_are_left_to_the_user(subtests: pytest.Subtests) -> None:
    for body in [
        openai("max_tokens is too large: 9. This model allows at most 4 completion tokens.", "max_tokens"),
        openai("temperature must be between 0 and 1", "temperature"),
        openai("Invalid type for 'max_tokens': expected an integer, but got a string instead.", "max_tokens"),
        openai("Unsupported parameter: seed", "seed"),
        openai("messages: unsupported role", "messages"),
        openai("Something is wrong with this request"),
    ]:
        with subtests.test(body=body):
            assert found(body, asked()) == set()


TOO_OLD = openai(
    "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
    "max_tokens",
    "unsupported_parameter",
)
TOO_NEW = openai("Unknown parameter: 'max_completion_tokens'", "max_completion_tokens")
NO_LIMIT = openai("Unsupported parameter: 'max_tokens'", "max_tokens")


def test_the_longest_answer_goes_under_the_name_that_is_taken(subtests: pytest.Subtests) -> None:
    for model, bodies, name in [
        ("m", [], "max_tokens"),
        ("m", [TOO_OLD], "max_completion_tokens"),
        ("m", [TOO_OLD, TOO_NEW], None),
        ("m", [NO_LIMIT], None),
        ("m", [openai("max_tokens is not supported. Use max_completion_tokens")], "max_completion_tokens"),
        ("m", [openai("Please use 'max_completion_tokens', not 'max_tokens'")], "max_completion_tokens"),
        ("o3", [], "max_completion_tokens"),
        ("o4-mini", [], "max_completion_tokens"),
        ("gpt-5-chat-latest", [], "max_completion_tokens"),
        ("gpt-4o", [], "max_tokens"),
        ("openai/o3", [], "max_tokens"),
        ("gpt-5", [TOO_NEW], "max_tokens"),
        ("gpt-5", [TOO_NEW, NO_LIMIT], None),
    ]:
        with subtests.test(model=model, bodies=bodies):
            request = asked(model, params=Params(max_tokens=9))
            for body in bodies:
                request = asked(model, (*request.unsupported, *found(body, request)), Params(max_tokens=9))

            assert request.params_sent == ({name: 9} if name else {})
            assert unsupported_params.left_out(request.params.to_send(), request.params_sent) == (
                [] if name else ["max_tokens"]
            )


def test_without_stream_there_are_no_stream_options() -> None:
    assert asked(unsupported=("stream",)).body().keys() & {"stream", "stream_options"} == set()
    assert asked(unsupported=("stream_options",)).body()["stream"] is True


def test_without_n_one_answer_is_asked_for() -> None:
    assert (asked().choices, asked(unsupported=("n",)).choices) == (2, 1)


def remember(store: Store, owner: str, model: str, *params: str) -> None:
    store.write(lambda db: unsupported_params.remember(db, owner, HERE, model, params)).result(20)


def known(store: Store, owner: str = "ann", base_url: str = HERE, model: str = "m") -> set[str]:
    return set(store.read(lambda db: unsupported_params.adapted(db, owner, base_url, asked(model))).unsupported)


def test_what_was_learned_holds_for_its_owner_address_and_model_only(store: Store) -> None:
    remember(store, "ann", "m", "temperature", "top_p")

    assert known(store) == {"temperature", "top_p"}
    assert known(store, owner="ben") == set()
    assert known(store, base_url=HERE + "/other") == set()
    assert known(store, model="vendor/m:free") == set()


def test_learning_twice_is_harmless(store: Store) -> None:
    remember(store, "ann", "m", "temperature")
    remember(store, "ann", "m", "temperature", "stop")

    assert known(store) == {"temperature", "stop"}


def test_after_a_month_a_model_is_asked_anew(store: Store) -> None:
    remember(store, "ann", "m", "temperature")

    def age(db: Connection) -> None:
        old = schema.refused_params.c.learned_at - unsupported_params.KEPT
        # any owner: there is one.
        db.execute(update(schema.refused_params).values(learned_at=old))

    store.write(age).result(20)
    assert known(store) == set()
    remember(store, "ann", "m", "temperature")
    assert known(store) == {"temperature"}
