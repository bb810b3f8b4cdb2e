"""Accounts to sign in with: a real OpenID provider as a process of its own, and an app that asks it."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.app_server import AppServer, app_server, free_port


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
def app_with_accounts(home: Path, provider: str, invited: str, **settings: str) -> Iterator[AppServer]:
    """A shared app that asks the provider; `home` is the folder of whoever runs it."""
    port = free_port()
    (home / ".streamlit").mkdir()
    (home / ".streamlit" / "secrets.toml").write_text(
        f"""[auth]
redirect_uri = "http://127.0.0.1:{port}/oauth2callback"
cookie_secret = "a secret of these tests, and of nothing else"
client_id = "tempera"
client_secret = "made up"
server_metadata_url = "{provider}/.well-known/openid-configuration"
"""
    )
    shared = {"TEMPERA_MODE": "shared", "TEMPERA_INVITED": invited, "TEMPERA_LOCAL_MODEL": "false"}
    with app_server(home / "data", port, HOME=str(home), **shared, **settings) as app:
        yield app
