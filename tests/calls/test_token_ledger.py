"""What a service counts, call by call, is what is recorded: reported to the token, or marked as not known so well."""

from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from lib.calls import records
from lib.calls.runner import Answer
from lib.core.parameters import Params
from lib.core.request import Call
from lib.gateway.endpoints import Endpoint
from lib.services import Services
from lib.settings import Settings
from lib.store import process_lock
from lib.usage import queries
from lib.usage.scope import Scope
from lib.usage.totals import total
from tests.fake_api import FakeApi, billed
from tests.kept_sums import differences
from tests.pages import KEY
from tests.store_fixtures import a_call

AT_ONCE = 50
REPORTED = ("echo", "json", "reason", "sse", "n-ignored", "n-short", "error-429-once", "error-500-once", "long-30")
MARKED = ("no-usage", "cut", "slow-100")
FAILED = ("error-401", "error-402", "html")
STOPPED = "slow-100"
MODELS = (*REPORTED, *MARKED, *FAILED)


def made(number: int) -> Call:
    """The call of this number, with a question that no other has."""
    model = MODELS[number % len(MODELS)]
    versions = 1 + number // len(MODELS) % 3
    params = Params(n=versions if versions > 1 else None, stream=number % 2 == 0 or model in (STOPPED, "sse"))
    call = a_call("ann", f"call {number} of many", params=params, endpoint="custom")
    return replace(call, request=replace(call.request, model=model))


def ask_all(services: Services, api: FakeApi, count: int) -> None:
    """Make calls, so many at once; those that are to be stopped are when their first word is there."""
    endpoint = Endpoint("custom", api.base_url, SecretStr(KEY))
    for first in range(0, count, AT_ONCE):
        running: list[Answer] = []
        for number in range(first, min(count, first + AT_ONCE)):
            call = made(number)
            services.store.write(lambda db, call=call: records.start_call(db, call, process_lock.ID)).result(20)
            running.append(services.dispatcher.start(call, endpoint))
        for answer in running:
            seen = 0
            while answer.call.request.model == STOPPED and answer.reply.empty and not answer.final_reply:
                seen = answer.wait(seen, 20)
            if answer.call.request.model == STOPPED:
                answer.cancel()
        for answer in running:
            assert answer.wait_until_finished(60)


@pytest.mark.row("U8", "U18")
@pytest.mark.parametrize("count", [150, pytest.param(10_000, marks=pytest.mark.soak)])
def test_every_token_that_a_service_counts_is_recorded_or_marked(api: FakeApi, tmp_path: Path, count: int) -> None:
    services = Services.open(Settings(data_dir=tmp_path / "data", local_model=False))
    try:
        ask_all(services, api, count)
        kept = services.store.read(lambda db: list(queries.every(db, Scope("ann"))))
        asked = {row.id: services.store.read(lambda db, id=row.id: records.messages_of(db, "ann", id)) for row in kept}
        sums = total(services.store.read(lambda db: queries.by_model(db, Scope("ann"))))
        assert services.store.read(differences) == []
    finally:
        services.close()

    ledger: dict[str, list[tuple[int, int]]] = defaultdict(list)
    sent = Counter(request.body["messages"][-1]["content"] for request in api.requests)
    for request in api.requests:
        if request.status == 200 and request.model not in FAILED:
            ledger[request.body["messages"][-1]["content"]].append(billed(request.body))

    reported = marked = (0, 0)
    for row in kept:
        question = asked[row.id][-1].content
        theirs = tuple(map(sum, zip(*ledger.pop(question, []), strict=True))) or (0, 0)
        assert row.attempts == sent.pop(question), row
        if row.model in FAILED:
            assert (row.state, theirs, row.usage.prompt_tokens) == ("error", (0, 0), None), row
        elif row.usage.source == "reported":
            # One that was to be stopped may have ended just before, on a busy machine.
            assert row.model in (*REPORTED, STOPPED) and theirs == (
                row.usage.prompt_tokens,
                row.usage.completion_tokens,
            ), row
            reported = (reported[0] + theirs[0], reported[1] + theirs[1])
        else:
            assert row.model in MARKED, row
            marked = (marked[0] + theirs[0], marked[1] + theirs[1])
    assert not ledger and not sent, "a request that no call knows of"
    everything = [billed(one.body) for one in api.requests if one.status == 200 and one.model not in FAILED]
    assert tuple(map(sum, zip(*everything, strict=True))) == (reported[0] + marked[0], reported[1] + marked[1])
    of = Counter(MODELS[number % len(MODELS)] for number in range(count))
    assert sums.calls == count and sums.running == 0
    late = of[STOPPED] - sums.stopped
    assert sums.stopped and sums.reported == sum(of[model] for model in REPORTED) + late
    assert sums.estimated + sums.unknown == sum(of[model] for model in MARKED) - late
