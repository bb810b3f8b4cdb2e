"""Every gateway's answers and refusals, from a real socket to what is recorded and what the page says.

The tables are cases/answers.jsonl and cases/refusals.jsonl. `steps` are what the service does: text to send, seconds
to wait, -1 to hang up. The rest is what has to be recorded; `says` is the sentence of the page in English.
"""

import json
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest
from pydantic import SecretStr

from lib.calls import records
from lib.calls.records import CallRecord
from lib.core.errors import recorded
from lib.core.parameters import Params
from lib.core.parts import Part
from lib.core.reply import Choice
from lib.core.request import Call, ChatRequest, Message
from lib.gateway import retry
from lib.gateway.client import Client, Clocks
from lib.gateway.endpoints import Endpoint
from lib.services import Services
from lib.settings import Settings
from lib.store import kept_parts
from lib.ui.shared.texts import catalogue
from tests.answer_shapes import SHAPES, Shape, message
from tests.case_files import cases
from tests.fake_api import FakeApi, Step

KEY = "sk-test-abcdefghijklmnopqrstuvwxyz"
QUICK = Clocks(silence=0.3, grace=0.2, thinking=1.0)
QUICK_FIRST_TOKEN_SECONDS = 0.3
PATIENT = Clocks(silence=20, grace=5, thinking=1.0)


@dataclass(frozen=True)
class Gate:
    """A gateway and those that ask it: `quick` for what has to run out of time, `patient` for all else."""

    api: FakeApi
    quick: Services
    patient: Services

    def asked(self, case: dict[str, Any]) -> CallRecord:
        """What is recorded of a call that ends as the case says."""
        self.api.script(case["name"], *map(step, case["steps"]), status=case["status"], headers=headers(case))
        waits = case["name"].startswith("clock-")
        services = self.quick if waits else self.patient
        endpoint = Endpoint("Gate", self.api.base_url, SecretStr(KEY), QUICK_FIRST_TOKEN_SECONDS if waits else 20)
        params = Params(stream=case["stream"], n=case.get("n"))
        request = ChatRequest(case["name"], (Message(role="user", content="hello"),), params)
        call = Call(secrets.token_hex(16), "me", "tab", "chat", "Gate", request)
        services.store.write(lambda db: records.start_call(db, call, services.dispatcher.process)).result()
        assert services.dispatcher.start(call, endpoint).wait_until_finished(30)
        record = services.store.read(lambda db: records.call_of(db, "me", call.id))
        assert record is not None
        return record


def step(value: str | float) -> Step:
    return value.replace("KEYKEYKEY", KEY).encode("utf-8", "surrogateescape") if isinstance(value, str) else value


def headers(case: dict[str, Any]) -> dict[str, str]:
    given = {"x-request-id": "gate-1", **case["headers"]}
    return {name: value for name, value in given.items() if value is not None} | (
        {"x-request-id": ""} if given["x-request-id"] is None else {}
    )


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    with pytest.MonkeyPatch.context() as patch, FakeApi() as api:
        patch.setattr(retry, "FIRST_WAIT", 0.002)
        quick, patient = (_services(tmp_path_factory.mktemp("data"), clocks) for clocks in (QUICK, PATIENT))
        yield Gate(api, quick, patient)
        quick.close()
        patient.close()


def _services(folder: Path, clocks: Clocks) -> Services:
    services = Services.open(Settings(data_dir=folder, local_model=False))
    services.dispatcher.client = Client(clocks, Random(1))
    return services


def beside(gate: Gate, choice: Choice) -> list[Part]:
    """What was kept of an answer beside its text, with what is kept apart; never a field without a word in it."""
    kept = gate.patient.store.read(lambda db: kept_parts.load(db, "me", choice.parts))
    quick = gate.quick.store.read(lambda db: kept_parts.load(db, "me", kept))
    return [{name: part[name] for name in part if name != "id" or part["type"] == "tool_call"} for part in quick]


def check(gate: Gate, case: dict[str, Any]) -> CallRecord:
    """One case, in all that is recorded of it."""
    before = len(gate.api.requests)
    record = gate.asked(case)
    usage = record.usage
    counts = [usage.prompt_tokens, usage.completion_tokens, usage.reasoning_tokens, usage.cached_tokens]

    assert (record.state, record.error_kind) == (case["state"], case["kind"])
    assert [[one.text, one.reasoning, one.finish_reason] for one in record.choices] == case["choices"]
    assert usage.source == case["usage_source"]
    assert case["usage"] is None or counts == case["usage"]
    assert [beside(gate, one) for one in record.choices] == case.get("parts", [[] for _ in record.choices])
    assert record.cost == (pytest.approx(case["cost"]) if "cost" in case else None)
    assert record.cost_source == ("reported" if "cost" in case else "")
    assert record.billed == case["billed"]
    assert record.attempts == case["attempts"]
    assert sum(one.model == case["name"] for one in gate.api.requests[before:]) == case["attempts"]
    assert record.request_id == (case["request_id"] if record.choices or case["kind"] in API_KINDS else "")
    if case["kind"]:
        check_words(record, case["says"])
    else:
        assert record.error_record == {}
    return record


API_KINDS = {
    "api", "bad_key", "no_balance", "forbidden", "model_not_found", "wrong_address", "rate_limited", "bad_parameter",
    "context_too_long", "blocked", "upstream", "gateway_timeout", "no_chats",
}  # fmt: skip


def check_words(record: CallRecord, english: str) -> None:
    """What the page says of a recorded error, in both languages."""
    error = recorded(record.error_record, record.error_text)
    chinese = error.sentence(catalogue("zh_Hans").gettext)

    assert error.sentence() == english
    assert re.search(r"[\u4e00-\u9fff]", chinese) and "{" not in chinese
    assert not set(re.findall(r"[A-Za-z]{4,}", english.replace("Gate", ""))) & {"None", "nan"}


def test_every_answer_is_recorded_as_it_was_meant(subtests: pytest.Subtests, gate: Gate) -> None:
    for case in cases("answers"):
        with subtests.test(case["name"]):
            record = check(gate, case)
            assert not case["choices"] or record.model_answered == case["model_answered"]


def sent(thoughts: Shape, texts: Shape, stream: bool) -> list[str | float]:
    """An answer that thinks and says something, as a stream cut in the middle of a word or as one body."""
    if not stream:
        whole = {"index": 0, "message": message(thoughts("hm 😀"), texts("Yés 😀")), "finish_reason": "stop"}
        return [json.dumps({"choices": [whole]})]
    deltas = [thoughts("hm "), thoughts("\ud83d"), thoughts("\ude00"), texts("Yé"), texts("s \ud83d"), texts("\ude00")]
    choices: list[dict[str, Any]] = [{"delta": one} for one in deltas] + [{"delta": {}, "finish_reason": "stop"}]
    body = "".join(f"data: {json.dumps({'choices': [one]})}\n\n" for one in choices) + "data: [DONE]\n\n"
    return [body[: len(body) // 2], body[len(body) // 2 :]]


def test_what_was_sent_is_what_is_stored_in_every_shape(subtests: pytest.Subtests, gate: Gate) -> None:
    for name, thoughts, texts in SHAPES:
        for stream in (True, False):
            with subtests.test(name, stream=stream):
                case = {"name": "shape", "steps": sent(thoughts, texts, stream), "status": 200, "headers": {}}
                record = gate.asked({**case, "stream": stream})
                assert (record.state, record.choices[0].reasoning, record.choices[0].text) == ("ok", "hm 😀", "Yés 😀")


def test_every_refusal_becomes_one_sentence_and_is_tried_again_only_where_that_is_safe(
    subtests: pytest.Subtests, gate: Gate
) -> None:
    for case in cases("refusals"):
        with subtests.test(case["name"]):
            record = check(gate, case)
            assert case["original"] is None or record.error_text == case["original"]
            assert KEY not in json.dumps([record.error_text, record.error_record])


def test_the_tables_are_as_large_as_they_were() -> None:
    assert len(cases("answers")) + len(cases("refusals")) > 300
