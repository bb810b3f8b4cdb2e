"""What services answer instead of an answer -> typed errors; when to ask again; what is kept of their words."""

import json
import math
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib.core import errors
from lib.core.parameters import Params
from lib.gateway.error_mapping import error_from, redirect_error
from lib.gateway.error_redaction import MOST_CHARACTERS, masked
from lib.gateway.response_info import ResponseInfo
from lib.gateway.retry import LONGEST_BACKOFF, asked_wait, backoff, wait_before_retry, wait_in_words
from tests.case_files import cases
from tests.examples import examples

WAITS = cases("retry_after")
KEY = "sk-proj-abcdefghijklmnopqrstuvwxyz012345"


def mapped(status: int, body: Any, **facts: Any) -> errors.ApiError:
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    return error_from(ResponseInfo(status=status, body=text, base_url="http://host", model="m", secret=KEY, **facts))


def openai(message: str, **facts: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None, **facts}}


CASES: list[tuple[int, Any, type[errors.ApiError], str]] = [
    (400, openai("Use 'max_completion_tokens'.", param="max_tokens"), errors.BadParameter, "OpenAI"),
    (401, openai("Incorrect API key provided"), errors.BadKey, "OpenAI"),
    (429, openai("You exceeded your current quota", code="insufficient_quota"), errors.NoBalance, "OpenAI no money"),
    (403, openai("user [2] quota [5] preConsumedQuota [15] is not enough"), errors.NoBalance, "APIYI quota"),
    (403, openai("x", code="insufficient_user_quota"), errors.NoBalance, "APIYI quota code"),
    (500, openai("", code="bad_response_status_code", param="502"), errors.UpstreamFailed, "APIYI bad upstream"),
    (500, openai("", code="bad_response_status_code", param="524"), errors.GatewayTimeout, "APIYI bad upstream 524"),
    (401, openai("无效的令牌 (request id: 2024031818293511967485424587671)"), errors.BadKey, "one-api"),
    (401, openai("该令牌额度已用尽"), errors.NoBalance, "one-api"),
    (403, openai("该令牌无权使用模型：gpt-4o"), errors.Forbidden, "one-api"),
    (503, openai("当前分组 default 下对于模型 m 无可用渠道"), errors.ModelNotFound, "one-api"),
    (429, openai("当前分组上游负载已饱和，请稍后再试"), errors.RateLimited, "one-api"),
    (429, "", errors.RateLimited, "one-api limiter: no body"),
    (200, {"success": False, "message": "无权进行此操作，权限不足"}, errors.Forbidden, "one-api admin"),
    (400, openai("sensitive words detected", code="sensitive_words_detected"), errors.Blocked, "new-api"),
    (403, openai("user quota is not enough (request id: 1)", type="v_api_error"), errors.NoBalance, "fork"),
    (400, {"code": "invalid-argument", "error": "Model x does not support parameter presencePenalty."},
     errors.BadParameter, "xAI"),
    (400, [{"error": {"code": 400, "message": 'Unknown name "stop"'}}], errors.BadParameter, "Gemini"),
    (400, [{"error": {"code": 400, "message": "API key not valid."}}], errors.BadKey, "Gemini key"),
    (400, {"object": "error", "message": "m", "type": "BadRequestError", "code": 400}, errors.BadParameter, "vLLM"),
    (400, {"object": "error", "message": {"detail": [{"loc": ["body", "messages"], "msg": "no"}]}}, errors.BadParameter,
     "Mistral"),
    (422, {"detail": [{"type": "extra_forbidden", "loc": ["body", "stream_options"], "msg": "Extra"}]},
     errors.BadParameter, "FastAPI"),
    (400, {"code": "data_inspection_failed", "message": "inappropriate content."}, errors.Blocked, "DashScope"),
    (429, openai("余额不足或无可用资源包,请充值。", code="1113"), errors.NoBalance, "GLM"),
    (402, openai("Insufficient Balance"), errors.NoBalance, "DeepSeek"),
    (402, {"error": {"code": 402, "message": "Add credits", "metadata": {}}}, errors.NoBalance, "OpenRouter"),
    (200, {"error": {"code": 502, "message": "Provider disconnected"}}, errors.UpstreamFailed, "OpenRouter 200"),
    (529, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, errors.UpstreamFailed,
     "Anthropic"),
    (413, {"type": "error", "error": {"type": "request_too_large"}}, errors.ContextTooLong, "Anthropic"),
    (500, openai("Context size has been exceeded."), errors.ContextTooLong, "llama.cpp"),
    (400, openai("request (9031 tokens) exceeds the available context size", type="exceed_context_size_error"),
     errors.ContextTooLong, "llama.cpp"),
    (401, openai("Invalid API Key", code=401), errors.BadKey, "llama.cpp"),
    (404, openai("File Not Found", code=404), errors.WrongAddress, "llama.cpp"),
    (404, openai("The model `m` does not exist", code="model_not_found"), errors.ModelNotFound, "OpenAI"),
    (404, openai('model "m" not found, try pulling it first'), errors.ModelNotFound, "Ollama"),
    (404, "404 page not found", errors.WrongAddress, "Go server"),
    (405, "", errors.WrongAddress, "method"),
    (404, "<html><head><title>404 Not Found</title></head></html>", errors.WrongAddress, "nginx"),
    (413, "<html><head><title>413 Request Entity Too Large</title></head></html>", errors.ContextTooLong, "nginx"),
    (502, "<html><head><title>502 Bad Gateway</title></head></html>", errors.UpstreamFailed, "nginx"),
    (524, "<title>host | 524: A timeout occurred</title>", errors.GatewayTimeout, "Cloudflare"),
    (504, "", errors.GatewayTimeout, "gateway"),
    (408, openai("timeout"), errors.GatewayTimeout, "OpenRouter"),
    (200, "<!doctype html><title>Console</title>", errors.WrongAddress, "console"),
    (418, "teapot", errors.ApiError, "anything else"),
]  # fmt: skip


def test_each_gateways_refusal_gets_its_kind(subtests: pytest.Subtests) -> None:
    for status, body, kind, family in CASES:
        with subtests.test(family, status=status):
            assert type(mapped(status, body)) is kind


def test_every_field_of_the_api_is_known_where_a_refusal_names_it(subtests: pytest.Subtests) -> None:
    """So a new one has to be told to nobody."""
    for field in {*Params.model_fields, "messages", "stream_options", "max_completion_tokens"} - {"extra_fields"}:
        with subtests.test(field=field):
            error = mapped(400, openai(f"Unsupported parameter: '{field}' is not supported with this model."))
            assert isinstance(error, errors.BadParameter) and error.param == field


def test_the_refused_parameter_is_named_as_in_the_api(subtests: pytest.Subtests) -> None:
    for body, param in [
        (openai("no", param="max_tokens"), "max_tokens"),
        (openai("Unsupported parameter: 'temperature' is not supported with this model."), "temperature"),
        (openai("Unsupported parameter: stop"), "stop"),
        ({"error": "Model x does not support parameter presencePenalty."}, "presence_penalty"),
        ([{"error": {"message": 'Invalid JSON payload received. Unknown name "user": Cannot find field.'}}], "user"),
        ({"detail": [{"loc": ["body", "stream_options"], "msg": "Extra inputs"}]}, "stream_options"),
        (openai("top_p and temperature can't both be set"), "top_p"),
        (openai("Please stop sending this user nonsense"), ""),
    ]:
        with subtests.test(body=body):
            error = mapped(400, body)

            assert isinstance(error, errors.BadParameter)
            assert error.param == param
            assert "?" not in error.sentence()


def test_facts_of_a_refusal_are_kept() -> None:
    error = mapped(429, openai("slow down (request id: abcdef123456)", code="rate_limit"), retry_after=2.0)

    assert (error.status, error.code, error.request_id, error.retry_after) == (429, "rate_limit", "abcdef123456", 2.0)
    assert mapped(500, "", request_id="from-header").request_id == "from-header"


def test_what_the_service_behind_a_gateway_said_is_kept() -> None:
    error = mapped(502, {"error": {"message": "Provider error", "code": 502, "metadata": {"raw": "boom"}}})

    assert error.original == "Provider error\nboom"


def test_a_web_page_suggests_the_address_with_its_version() -> None:
    error = mapped(200, "<html></html>")

    assert isinstance(error, errors.WrongAddress)
    assert error.suggestion == "http://host/v1"


@pytest.mark.row("T7")
def test_a_redirect_says_where_it_pointed() -> None:
    where = ResponseInfo(status=308, base_url="http://host/v1")
    error = redirect_error(where, "https://host/v1/chat/completions")

    assert (error.suggestion, error.original) == ("https://host/v1", "308 → https://host/v1/chat/completions")
    assert redirect_error(where, "javascript:alert(1)").suggestion == ""


@pytest.mark.row("T3")
def test_no_more_than_the_last_four_characters_of_a_key_are_kept(subtests: pytest.Subtests) -> None:
    for text in [
        f"Incorrect API key provided: {KEY}.",
        f"Authorization: Bearer {KEY}",
        "bearer abcdefghijklmnopqrstuvwxyz012345",
        f'{{"key":"{KEY}"}}',
        "x" * 1_990 + KEY,
        f"cut here {KEY[:30]}",
        f"cut early {KEY[:9]}",
        "other keys too: sk-" + "ant-api03-abcdefghijklmnopqrstuvwxyz-012345",  # whole, it is taken for a real one
        "with stars: sk-" + "ant-api03-abcdefghijkl" + 20 * "*" + "2345",
    ]:
        with subtests.test(text=text):
            kept = masked(text, KEY)

            assert not any(text[at : at + 5] in kept for at in range(len(text) - 4) if text[at : at + 5] in KEY)
            assert "abcdefghijkl" not in kept and "api03" not in kept


@pytest.mark.row("T3")
def test_a_key_that_does_not_look_like_one_is_masked_by_its_value() -> None:
    assert masked("token 9f8e7d6c5b4a refused", "9f8e7d6c5b4a") == "token …5b4a refused"


@pytest.mark.row("T11")
def test_control_and_bidi_characters_are_removed_and_the_length_is_bounded() -> None:
    assert masked("a\x1b[31m\x00b\u202e\r\nc\ud800") == "a[31mb\nc"
    assert len(masked("é" * 100_000)) == MOST_CHARACTERS


@given(st.integers(100, 599), st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
@settings(max_examples=examples(150), deadline=None)
def test_any_body_gives_one_error(status: int, body: bytes) -> None:
    assert isinstance(mapped(status, body.decode("utf-8", "replace")), errors.ApiError)


SHAPES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["error", "message", "detail", "code", "param", "type", "loc", "msg", "header", "metadata", "raw"]
            ),
            inner,
        )
    ),
    max_leaves=15,
)


@given(st.integers(100, 599), SHAPES)
@settings(max_examples=examples(200), deadline=None)
def test_any_json_gives_one_error_that_can_be_shown(status: int, body: Any) -> None:
    error = error_from(ResponseInfo(status=status, body=body))

    assert error.sentence() and len(error.original) <= MOST_CHARACTERS


def test_the_wait_a_service_asks_for_is_read_in_all_its_forms(subtests: pytest.Subtests) -> None:
    for case in WAITS:
        with subtests.test(headers=case["headers"]):
            assert asked_wait(case["headers"], case["now"]) == pytest.approx(case["wait"], abs=0.01)


def test_the_wait_that_words_ask_for_is_read_and_no_other_number_is_taken_for_one(subtests: pytest.Subtests) -> None:
    for words, wait in {
        "Please try again in 2s.": 2,
        "Please try again in 20ms. Visit x": 0.02,
        "try again in 6m0s": 360,
        "Please try again in 1m26.4s": 86.4,
        "Please try again in 7h12m0s.": 25_920,
        "please retry after 24 seconds": 24,
        "Please wait for 1.5 minutes": 90,
        "Limit 3, Used 3. Please retry in 33.43434s.": 33.43434,
        "Try again in 2 hours": 7200,
        "retrying in 5 min": 300,
        "请在 30 秒后重试": 30,
        "请求频繁,请5分钟后再试": 300,
        "稍后再试，1小时后恢复": 3600,
        "Limit 30000 tokens per 1m. Slow down": None,
        "try again later": None,
        "Please try again. Your limit is 5s of audio": None,
        "we waited 60 seconds for the model": None,
        "无可用渠道，请稍后重试": None,
        "": None,
    }.items():
        with subtests.test(words):
            assert wait_in_words(words) == pytest.approx(wait)


@given(st.text(alphabet="try again in 0123456789.hms秒后", max_size=200))
@settings(max_examples=examples(200), deadline=None)
def test_any_words_give_a_usable_wait_or_none(words: str) -> None:
    wait = wait_in_words(f"try again in {words}")

    assert wait is None or (wait > 0 and math.isfinite(wait))


NAMES = [
    "retry-after",
    "retry-after-ms",
    "x-ratelimit-reset",
    "x-ratelimit-reset-requests",
    "x-ratelimit-remaining-requests",
    "ratelimit-reset",
    "anthropic-ratelimit-tokens-reset",
]


@given(st.dictionaries(st.sampled_from(NAMES), st.text(max_size=30) | st.integers().map(str) | st.floats().map(str)))
@settings(max_examples=examples(300), deadline=None)
def test_any_header_gives_a_usable_wait_or_none(headers: dict[str, str]) -> None:
    wait = asked_wait(headers, 1_700_000_000.0)

    assert wait is None or (wait > 0 and math.isfinite(wait))


def retries(error: Exception, **facts: Any) -> int:
    """How many more attempts an error gets."""
    return next(at - 1 for at in range(1, 50) if wait_before_retry(error, at, 0.0, Random(1), **facts) is None)


def test_only_what_can_not_be_billed_twice_is_tried_again(subtests: pytest.Subtests) -> None:
    for error, times in [
        (errors.RateLimited(status=429), 4),
        (errors.RateLimited(status=429, retry_after=120.0), 4),
        (errors.RateLimited(status=429, retry_after=121.0), 0),
        (errors.RateLimited(status=429, may_retry=False), 0),
        (errors.RateLimited(status=429, may_retry=True), 4),
        (errors.ContextTooLong(status=500, may_retry=True), 1),
        (errors.GatewayTimeout(status=504, may_retry=True), 0),
        (errors.UpstreamFailed(status=503), 2),
        (errors.UpstreamFailed(status=200), 0),
        (errors.GatewayTimeout(status=504), 0),
        (errors.ContextTooLong(status=500), 0),
        (errors.NoBalance(status=429), 0),
        (errors.ConnectionRefused(), 1),
        (errors.NameNotFound(), 1),
        (errors.TlsFailed(), 0),
        (errors.TimedOut(), 0),
        (errors.CutOff(), 0),
        (errors.BadKey(status=401), 0),
        (ValueError(), 0),
    ]:
        with subtests.test(error=error):
            assert retries(error) == times
            assert retries(error, shown=True) == 0


def test_a_wait_that_the_service_asks_for_is_kept_exactly() -> None:
    assert wait_before_retry(errors.RateLimited(status=429, retry_after=7.5), 1, 0.0, Random(1)) == 7.5


@given(st.integers(1, 10_000), st.randoms(use_true_random=False))
def test_backoff_grows_with_jitter_and_stays_bounded(attempt: int, rng: Random) -> None:
    assert 0.375 <= backoff(attempt, rng) <= LONGEST_BACKOFF
