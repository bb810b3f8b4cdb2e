"""A password and accounts to sign in with: a real OpenID provider as a process of its own, and an app that asks it."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from argon2 import PasswordHasher

from tests.app_server import AppServer, forked_app, free_port


def hash_of(password: str) -> str:
    """What an operator sets as TEMPERA_PASSWORD_HASH, but quick to check; others take 0.1 s of a core, on purpose."""
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(password)


@contextmanager
def provider(people: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The address of a provider that knows these people: their claims, `sub` among them."""
    port = free_port()
    claims = [argument for one in people for argument in ("--user-claims", json.dumps(one))]
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port), *claims]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        transport = httpx.HTTPTransport(retries=20)  # until it listens
        with httpx.Client(transport=transport, trust_env=False) as http:
            assert http.get(f"{address}/.well-known/openid-configuration").is_success
        yield address
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def app_with_accounts(
    home: Path, provider: str, invited: str, address: str = "", **settings: str
) -> Iterator[AppServer]:
    """A shared app that asks the provider; `home` is the folder of whoever runs it, and `address` what people open
    where that is not its own."""
    port = free_port()
    address = address or f"http://127.0.0.1:{port}"
    (home / ".streamlit").mkdir()
    (home / ".streamlit" / "secrets.toml").write_text(
        f"""[auth]
redirect_uri = "{address}/oauth2callback"
cookie_secret = "a secret of these tests, and of nothing else"
client_id = "tempera"
client_secret = "made up"
server_metadata_url = "{provider}/.well-known/openid-configuration"
"""
    )
    shared = {"TEMPERA_MODE": "shared", "TEMPERA_INVITED": invited, "TEMPERA_LOCAL_MODEL": "false"}
    with forked_app(home / "data", port, HOME=str(home), **shared, **settings) as app:
        yield app
