"""Whether a chat can be had at an address, found out by asking; over real sockets."""

import pytest

from lib.core import errors
from lib.gateway.client import Clocks
from lib.gateway.connecting import Found, better_address, find_service
from lib.gateway.endpoint_registry import typed_endpoint
from tests.clients import KEY, using
from tests.fake_api import FakeApi
from tests.routes import NO_MESSAGES, NOT_FOUND, OK, PAGE, WRONG_KEY, Answer, Routes, listing

CHATS, LIST = "POST {}/chat/completions", "GET {}/models"


def found(address: str, key: str = KEY) -> Found:
    return using(lambda client: find_service(client, typed_endpoint(address, key)), Clocks())


def refused(address: str, key: str = KEY) -> errors.TemperaError:
    with pytest.raises(errors.TemperaError) as caught:
        found(address, key)
    return caught.value


def service(path: str, **answers: Answer) -> dict[str, Answer]:
    """A service whose API is at `path`."""
    return {LIST.format(path): answers.get("list", listing("m")), CHATS.format(path): answers.get("chat", NO_MESSAGES)}


@pytest.mark.row("X2")
def test_the_address_that_was_meant_is_found(subtests: pytest.Subtests) -> None:
    for typed, at, rest in [
        ("", "/v1", PAGE),
        ("", "/v1", NOT_FOUND),
        ("/v1", "/v1", PAGE),
        ("/v1/chat/completions", "/v1", PAGE),
        ("/v1/responses", "/v1", PAGE),
        ("/v1/chat/completions?stream=true", "/v1", PAGE),
        ("/v1/docs/start", "/v1", NOT_FOUND),
        ("", "/api/v1", PAGE),
        ("/v1", "/api/v1", NOT_FOUND),
        ("", "/openai/v1", NOT_FOUND),
        ("/proxy", "/proxy/v1", NOT_FOUND),
        ("/proxy", "/proxy", NOT_FOUND),
        ("/v1beta/openai/", "/v1beta/openai", NOT_FOUND),
    ]:
        with subtests.test(typed=typed, at=at), Routes(service(at), rest) as routes:
            service_found = found(routes.url + typed)

            assert (service_found.endpoint.base_url, service_found.models) == (routes.url + at, ("m",))
            assert routes.keys == {f"Bearer {KEY}"}


@pytest.mark.row("X2")
def test_connected_means_that_a_chat_can_be_had_and_not_that_a_404_came_back(subtests: pytest.Subtests) -> None:
    gone, none = (404, {"error": {"message": "Invalid URL (POST /v1/chat/completions)"}}), (404, "")
    for name, chat, kind in [
        ("no such path", NOT_FOUND, errors.WrongAddress),
        ("OpenAI's own 404", gone, errors.WrongAddress),
        ("an empty 404", none, errors.WrongAddress),
        ("a web page", PAGE, errors.WrongAddress),
        ("any JSON", (200, {"status": "ok"}), errors.WrongAddress),
        ("not allowed", (405, {"detail": "Method Not Allowed"}), errors.WrongAddress),
        ("forbidden", (403, "<h1>Forbidden</h1>"), errors.Forbidden),
        ("a wrong key", WRONG_KEY, errors.BadKey),
        ("a gateway without its service", (502, "<h1>Bad gateway</h1>"), errors.TemperaError),
        ("moved", (301, "https://elsewhere.test/v1/chat/completions"), errors.WrongAddress),
        ("no messages", NO_MESSAGES, None),
        ("validation", (422, {"detail": [{"loc": ["body", "messages"], "msg": "too short"}]}), None),
        ("no such model", (404, {"error": {"message": "model '' not found", "code": "model_not_found"}}), None),
        ("not foreseen", (500, "Internal Server Error"), None),
        ("an answer", OK, None),
        ("no balance", (402, {"error": {"message": "Insufficient Balance"}}), None),
    ]:
        with subtests.test(name), Routes({"POST /v1/chat/completions": chat}) as routes:
            if kind is None:
                assert found(f"{routes.url}/v1") == Found(typed_endpoint(f"{routes.url}/v1", KEY), ())
            else:
                assert isinstance(refused(f"{routes.url}/v1"), kind)


@pytest.mark.row("X2")
def test_a_list_that_anybody_gets_does_not_make_a_key_good(subtests: pytest.Subtests) -> None:
    """OpenRouter tells its models to all."""
    for name, chat, kind in [
        ("a wrong key", WRONG_KEY, errors.BadKey),
        ("only embeddings", NOT_FOUND, errors.WrongAddress),
    ]:
        with subtests.test(name), Routes(service("/v1", chat=chat)) as routes:
            assert isinstance(refused(f"{routes.url}/v1"), kind)
    with Routes(service("/v1", chat=(402, {"error": {"message": "Insufficient Balance"}}))) as routes:
        assert isinstance(found(f"{routes.url}/v1").warning, errors.NoBalance)


@pytest.mark.row("X2")
def test_it_is_said_that_no_key_was_sent() -> None:
    with Routes(service("/v1", list=WRONG_KEY, chat=WRONG_KEY)) as routes:
        error = refused(f"{routes.url}/v1", "")
        assert isinstance(error, errors.NoKey) and "none was sent" in str(error)
        assert type(refused(f"{routes.url}/v1", "sk-wrong")) is errors.BadKey


@pytest.mark.row("X2")
def test_nobody_is_told_to_try_what_was_tried(subtests: pytest.Subtests) -> None:
    for rest in (PAGE, NOT_FOUND):
        with subtests.test(rest=rest), Routes({}, rest) as routes:
            error = refused(f"{routes.url}/nothing")

            assert isinstance(error, errors.WrongAddress) and "/nothing/v1" not in str(error)
            assert better_address(typed_endpoint(f"{routes.url}/nothing", KEY), error) == ""


@pytest.mark.row("X2", "T7")
def test_a_redirect_is_offered_and_never_followed(subtests: pytest.Subtests) -> None:
    with Routes(service("/v1")) as elsewhere:
        with Routes({}, rest=(308, f"{elsewhere.url}/v1/models")) as routes:
            error = refused(f"{routes.url}/v1")

            assert better_address(typed_endpoint(f"{routes.url}/v1", KEY), error) == f"{elsewhere.url}/v1"
        assert elsewhere.asked == []


@pytest.mark.row("X2")
def test_https_where_only_http_is_spoken_is_offered_without_it() -> None:
    with Routes(service("/v1")) as routes:
        typed = typed_endpoint(routes.url.replace("http:", "https:") + "/v1", KEY)
        error = refused(typed.base_url)

        assert better_address(typed, error) == f"{routes.url}/v1"
        assert routes.keys == set()
    elsewhere = typed_endpoint("https://api.example.com/v1", KEY)
    assert better_address(elsewhere, errors.TlsFailed()) == "", "a key goes over the network encrypted or not at all"


@pytest.mark.row("X2")
def test_finding_out_costs_nothing(api: FakeApi) -> None:
    """No message goes to a model, and no more than one token could come back."""
    assert "echo" in found(api.base_url).models

    [asked] = [request for request in api.requests if request.path.endswith("/chat/completions")]
    assert asked.body == {"model": "", "messages": [], "max_tokens": 1}
    api.wait(lambda _: asked.status == 400)  # noted when the answer has left
