"""Endpoints and model names: the values that say where a call goes.

A model is named `endpoint/model id`, split at the first slash; ids themselves may hold slashes, colons and spaces.
"""

import re
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any
from unicodedata import category
from urllib.parse import urlsplit

from pydantic import SecretStr

from lib.core.errors import InvalidInput
from lib.core.i18n import N_
from lib.core.prices import Price
from lib.core.request import LONGEST_MODEL_ID, ChatRequest

FIRST_TOKEN_SECONDS = 180.0
UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Unicode's categories of control and format characters, lone surrogates, line and paragraph separators."""

APIYI_ADDRESSES = ("https://api.apiyi.com/v1", "https://vip.apiyi.com/v1")
"""Both hosts are APIYI's own, and take the same keys."""

SERVICES = {
    "apiyi": ("APIYI", APIYI_ADDRESSES[0]),
    "openai": ("OpenAI", "https://api.openai.com/v1"),
    "openrouter": ("OpenRouter", "https://openrouter.ai/api/v1"),
    "deepseek": ("DeepSeek", "https://api.deepseek.com/v1"),
    "ollama": ("Ollama", "http://localhost:11434/v1"),
    "lmstudio": ("LM Studio", "http://localhost:1234/v1"),
    "llamacpp": ("llama.cpp", "http://localhost:8080/v1"),
}
"""Well-known services: name of the endpoint -> (title, base URL)."""

KEY_PAGES = {
    "apiyi": "https://api.apiyi.com/token",
    "openai": "https://platform.openai.com/api-keys",
    "openrouter": "https://openrouter.ai/settings/keys",
    "deepseek": "https://platform.deepseek.com/api_keys",
}
"""Where these services hand out keys. The others run on one's own computer and need none."""

EXAMPLE_MODELS = (
    "gpt-4o",
    "gpt-4o-mini",
    "gpt-5-chat-latest",
    "claude-sonnet-4-20250514",
    "claude-opus-4-1-20250805",
    "claude-3-5-haiku-20241022",
    "gemini-2.5-pro",
    "gemini-2.5-flash",
    "gemini-2.0-flash",
    "deepseek-r1",
    "deepseek-v3-0324",
    "grok-4-0709",
    "grok-3",
    "o4-mini",
    "o3",
    "qwen-max",
    "glm-4-plus",
)
"""The API's example ids, offered where a service lists no models."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A service with its key, which is bound to this base URL and goes nowhere else."""

    name: str
    base_url: str
    api_key: SecretStr = SecretStr("")
    first_token_seconds: float = FIRST_TOKEN_SECONDS
    models: tuple[str, ...] = ()
    """Model ids known without asking; empty where `GET /models` has to tell."""
    context_window: int | None = None
    """Tokens that each of its models reads, where the endpoint itself knows."""
    takes_images: bool = True
    public_only: bool = False
    """Whether it may be on the public internet only: whoever named it is not to reach what is around the server."""
    own_fields: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}), compare=False)
    """What goes into a body beside the request's own fields."""
    prices: Mapping[str, Price] = field(default_factory=lambda: MappingProxyType({}), compare=False)
    """The prices that the visitor has set, by model id."""

    @property
    def concurrency(self) -> int | None:
        """How many requests it works on at once, where it has a bound of its own that is known."""
        return None

    @property
    def seconds_each(self) -> float | None:
        """About how long after one answer the next one comes, where it gives them at one pace, however many it is
        asked for at once."""
        return None

    @property
    def on_this_computer(self) -> bool:
        """Whether its models run on this computer, so that they cost nothing."""
        return False

    @property
    def of_operator(self) -> bool:
        """Whether, where many share Tempera, the one who runs it pays for its calls."""
        return not (self.on_this_computer or self.public_only)

    @asynccontextmanager
    async def admit(self, request: ChatRequest) -> AsyncIterator["Endpoint"]:
        """Hold what `request` needs while it runs; the endpoint to send it to. The practice model waits here for room,
        and is started."""
        yield self

    @property
    def title(self) -> str:
        """The service's name for people."""
        return SERVICES[self.name][0] if self.name in SERVICES else self.name


def name_of(base_url: str) -> str:
    """A short, stable name for a base URL: the well-known service's, else its host and port."""
    known = {url: name for name, (_, url) in SERVICES.items()}
    # The model runners are known by “localhost”; this computer has other names too.
    address = re.sub(r"(?<=^http://)(127\.0\.0\.1|\[::1\])(?=:)", "localhost", base_url.rstrip("/"))
    return known.get(address) or urlsplit(base_url).netloc.rpartition("@")[2]


def second_address(endpoint: Endpoint) -> Endpoint | None:
    """The same service, with the same key, at its other address; None where it has none."""
    address = endpoint.base_url.rstrip("/")
    if address not in APIYI_ADDRESSES:
        return None
    return replace(endpoint, base_url=next(other for other in APIYI_ADDRESSES if other != address))


def model_value(endpoint: Endpoint, model: str) -> str:
    """The value the pickers use: `endpoint/model id`."""
    return f"{endpoint.name}/{model}"


def spelled(value: str, endpoints: Iterable[Endpoint]) -> str:
    """`value` as the practice model's own name is spelled, where it differs from that in case only: its file and its
    package write it in different ways. Elsewhere case may tell two models apart."""
    for endpoint in endpoints:
        for listed in endpoint.models if endpoint.on_this_computer else ():
            if value.casefold() == model_value(endpoint, listed).casefold():
                return model_value(endpoint, listed)
    return value


def named(value: str, endpoints: Iterable[Endpoint]) -> str:
    """`value` with the name of the endpoint it means, so that it means the same whatever is connected later."""
    connected = list(endpoints)
    return spelled(model_value(*find(value, connected)), connected)


def checked_model_id(model: str) -> str:
    """`model`, which may hold slashes, spaces and any script; raises InvalidInput for one that no service can have."""
    if not model.strip():
        raise InvalidInput(N_("No model is chosen."))
    if len(model) > LONGEST_MODEL_ID:
        raise InvalidInput(N_("The model's id is longer than {most} characters."), most=LONGEST_MODEL_ID)
    if any(category(character) in UNSEEN for character in model):
        raise InvalidInput(N_("The model's id has characters in it that can't be seen. Type it anew."))
    return model


def find(value: str, endpoints: Iterable[Endpoint]) -> tuple[Endpoint, str]:
    """The endpoint and model id that `value` means: its first segment if such an endpoint is connected, else the
    first endpoint takes the whole of it."""
    connected = list(endpoints)
    name, _, model = value.partition("/")
    for endpoint in connected:
        if endpoint.name == name and model:
            return endpoint, model
    return connected[0], value
