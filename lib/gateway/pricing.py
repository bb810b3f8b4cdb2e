"""What a model costs where it is asked: nothing on this computer, what the service reports, else its list price."""

from urllib.parse import urlsplit

from lib.core import prices
from lib.core.reply import CostSource, Usage
from lib.gateway.addresses import is_loopback
from lib.gateway.endpoints import SERVICES, Endpoint
from lib.gateway.local_services import RUNNERS

RUNNERS_AT = {(urlsplit(SERVICES[name][1]).port, urlsplit(SERVICES[name][1]).path) for name in RUNNERS}
"""Ports and paths of Ollama, LM Studio and llama.cpp's server. Other programs on loopback, such as Open WebUI's
`localhost:8080/api`, may pass on what is paid."""
_SELLERS = {"openrouter": "openrouter"}
"""Services with prices of their own: the endpoint's name -> the price table's."""
_ELSEWHERE = ("-cloud", ":cloud")
"""How Ollama ends the ids of models that it hands on to its own servers."""


def is_free_here(endpoint: Endpoint, model: str) -> bool:
    """Whether the model runs on this computer, so that nobody is paid."""
    if endpoint.on_this_computer:
        return True
    address = endpoint.base_url.rstrip("/")
    try:
        port_and_path = urlsplit(address).port, urlsplit(address).path
    except ValueError:
        return False
    return is_loopback(address) and port_and_path in RUNNERS_AT and not model.endswith(_ELSEWHERE)


def cost_of(endpoint: Endpoint, model: str, usage: Usage) -> float | None:
    """US dollars for `usage`; None when there is no price, or the tokens are not known."""
    return priced(endpoint, model, usage)[0]


def priced(endpoint: Endpoint, model: str, usage: Usage) -> tuple[float | None, CostSource]:
    """US dollars for `usage`, and whose word that is. What the service reports counts before what the visitor has set,
    and that before any list."""
    if usage.cost is not None:
        return usage.cost, "reported"
    if is_free_here(endpoint, model):
        return 0.0, "local"
    if model in endpoint.prices:
        own = endpoint.prices[model].of(usage)
        return own, "" if own is None else "own"
    if model.endswith(prices.FREE):
        return 0.0, "free"
    cost = prices.cost(model, usage, seller(endpoint.name))
    return cost, "" if cost is None else "list"


def price_of(endpoint: Endpoint, model: str) -> tuple[float, float] | None:
    """US dollars per million prompt and completion tokens; None when there is no price."""
    if is_free_here(endpoint, model):
        return 0.0, 0.0
    own = endpoint.prices.get(model)
    return own[:2] if own else prices.list_price(model, seller(endpoint.name))


def seller(service: str) -> str:
    """The name under which the list has a service with prices of its own; "" for all others."""
    return _SELLERS.get(service, "")
