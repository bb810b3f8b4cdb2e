"""What a call costs where it is made: reported before free before listed."""

import pytest

from lib.core.reply import Usage
from lib.gateway.endpoints import Endpoint
from lib.gateway.pricing import is_free_here, price_of, priced
from lib.practice.endpoint import PracticeEndpoint

COUNTS = Usage(1_000, 500, source="reported")


def test_only_what_runs_on_this_computer_is_free_here(subtests: pytest.Subtests) -> None:
    for address, model, expected in [
        ("http://localhost:11434/v1", "deepseek-r1:7b", True),
        ("http://127.0.0.1:1234/v1", "gpt-4o", True),
        ("http://[::1]:8080/v1", "gpt-4o", True),
        ("http://localhost:11434/v1", "gpt-oss:120b-cloud", False),
        ("http://localhost:11434/v1/", "llama3.2:3b", True),
        ("http://localhost:8080/api", "gpt-4o", False),
        ("http://localhost:4000/v1", "gpt-4o", False),
        ("http://localhost:3000/v1", "gpt-4o", False),
        ("http://192.168.1.5:11434/v1", "deepseek-r1:7b", False),
        ("https://ollama.example:11434/v1", "deepseek-r1:7b", False),
        ("http://localhost/v1", "gpt-4o", False),
    ]:
        with subtests.test(address=address, model=model):
            endpoint = Endpoint("one", address)
            assert is_free_here(endpoint, model) is expected
            assert (priced(endpoint, model, COUNTS) == (0.0, "local")) is expected
            assert (price_of(endpoint, model) == (0.0, 0.0)) is expected


def test_the_practice_model_is_free() -> None:
    assert priced(PracticeEndpoint(), "gpt-4o", COUNTS) == (0.0, "local")


def test_whose_word_a_cost_is(subtests: pytest.Subtests) -> None:
    gateway = Endpoint("gateway", "https://gateway.example/v1")
    for endpoint, model, usage, expected in [
        (gateway, "gpt-4o", Usage(1_000, 500, cost=0.5), (0.5, "reported")),
        (gateway, "gpt-4o:free", Usage(1_000, 500, cost=0.5), (0.5, "reported")),
        (PracticeEndpoint(), "m", Usage(cost=0.5), (0.5, "reported")),
        (gateway, "gpt-4o:free", COUNTS, (0.0, "free")),
        (gateway, "gpt-4o", COUNTS, (pytest.approx(0.0075), "list")),
        (gateway, "nobody-knows", COUNTS, (None, "")),
        (gateway, "gpt-4o", Usage(), (None, "")),
    ]:
        with subtests.test(model=model, usage=usage):
            assert priced(endpoint, model, usage) == expected
