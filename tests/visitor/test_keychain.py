"""Keys that are remembered on this computer: in the system's keychain and nowhere else, only when asked."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked
from pydantic import SecretStr
from streamlit.testing.v1 import AppTest

from lib.access.sign_ins import COOKIE
from lib.core.errors import KeychainRefused
from lib.ui.shared import resources
from lib.ui.shared import visitor as visitor_module
from lib.visitor import LOCAL_OWNER
from lib.visitor.keychain import Keychain
from tests.accounts import hash_of
from tests.fake_api import FakeApi
from tests.pages import ask, click, host, new_tab, shown

KEY = "sk-to-be-remembered-4321"


class InMemory(KeyringBackend):
    """A keychain that is open, or locked."""

    priority = 5.0  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False

    def set_password(self, service: str, username: str, password: str) -> None:
        self._checked()[service, username] = password

    def get_password(self, service: str, username: str) -> str | None:
        return self._checked().get((service, username))

    def delete_password(self, service: str, username: str) -> None:
        del self._checked()[service, username]

    def _checked(self) -> dict[tuple[str, str], str]:
        if self.locked:
            raise KeyringLocked(f"locked, with {KEY}")
        return self.kept


@pytest.fixture
def keychain() -> Iterator[InMemory]:
    before, backend = keyring.get_keyring(), InMemory()
    keyring.set_keyring(backend)
    yield backend
    keyring.set_keyring(before)


@pytest.fixture(autouse=True)
def alone(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TEMPERA_LOCAL_MODEL", "false")
    yield
    resources.close()


def dialog() -> AppTest:
    """A new tab with the dialog open, when it is known whether there is a keychain."""
    app = new_tab()
    chain = resources.services().keychain
    assert chain.usable or chain._usable.result(30) in (True, False)
    return click(app, "connection_open")


def connected(api: FakeApi, remember: bool) -> AppTest:
    app = dialog()
    app.text_input(key="connection_base_url").set_value(api.base_url)
    app.text_input(key="connection_key").set_value(KEY)
    app.checkbox(key="connection_remember").set_value(remember)
    app.button(key="connection_save").click().run()
    assert "is connected" in shown(app)
    return app


def restarted() -> AppTest:
    resources.close()
    return new_tab()


@pytest.mark.row("X2", "T2")
def test_a_key_that_is_remembered_is_there_after_a_restart_until_it_is_forgotten(
    keychain: InMemory, api: FakeApi, data_dir: Path
) -> None:
    connected(api, remember=True)
    assert keychain.kept == {("Tempera", api.base_url): KEY}
    assert "You said: still here" in shown(ask(restarted(), "still here"))
    assert api.requests[-1].authorization == f"…{KEY[-4:]}"
    assert not [file for file in data_dir.rglob("*") if file.is_file() and KEY.encode() in file.read_bytes()]

    app = dialog()
    assert "remembered on this computer" in shown(app)
    click(app, f"connection_forget_{host(api)}")
    assert keychain.kept == {}
    assert resources.services().registry.endpoints("local") == []
    restarted()
    assert resources.services().registry.endpoints("local") == []


@pytest.mark.row("X2", "T2")
def test_without_the_tick_nothing_is_remembered_and_what_was_is_taken_out(keychain: InMemory, api: FakeApi) -> None:
    connected(api, remember=False)
    assert keychain.kept == {}
    connected(api, remember=True)
    connected(api, remember=False)
    assert keychain.kept == {}


@pytest.mark.row("X2", "T2", "T17")
def test_where_many_share_it_the_servers_keychain_is_neither_offered_nor_used(
    keychain: InMemory, api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even for what was remembered when the same data was one person's."""
    connected(api, remember=True)
    resources.close()
    sent: dict[str, str] = {}
    monkeypatch.setattr(visitor_module, "cookie", lambda name: sent.get(name, ""))
    for name, value in (("MODE", "shared"), ("PASSWORD_HASH", hash_of(KEY)), ("OWN_SERVICES", "true")):
        monkeypatch.setenv(f"TEMPERA_{name}", value)
    services = resources.services()
    assert services.sign_ins
    sent[COOKIE] = asyncio.run(services.sign_ins.enter(KEY, "203.0.113.1"))

    assert services.registry.own(LOCAL_OWNER) == [], "what is in it was not read"
    tab = click(new_tab(), "connection_open")
    assert tab.text_input(key="connection_key") and not tab.checkbox
    assert "keychain" not in shown(tab)
    for use in (
        lambda: services.keychain.keep("https://api.example.com/v1", SecretStr(KEY)),
        lambda: services.keychain.key(api.base_url),
        lambda: services.keychain.forget(api.base_url),
    ):
        with pytest.raises(KeychainRefused):
            use()
    assert keychain.kept == {("Tempera", api.base_url): KEY}


@pytest.mark.row("X2")
def test_without_a_keychain_the_tick_is_not_offered(api: FakeApi) -> None:
    assert [box.key for box in dialog().checkbox if box.key == "connection_remember"] == []


@pytest.mark.row("X2", "T3", "T20")
def test_a_keychain_that_refuses_is_said_and_the_service_is_connected_all_the_same(
    keychain: InMemory, api: FakeApi, caplog: pytest.LogCaptureFixture
) -> None:
    keychain.locked = True
    app = connected(api, remember=True)
    assert "This computer's keychain refused." in shown(app)
    assert "You said: hello" in shown(ask(app, "hello"))

    keychain.locked = False
    connected(api, remember=True)
    keychain.locked = True
    app = dialog()
    click(app, f"connection_forget_{host(api)}")
    assert "take the entry “Tempera” out of the keychain" in shown(app)
    keychain.locked = False
    restarted()
    assert resources.services().registry.endpoints("local") == [], "forgotten is forgotten"
    assert KEY not in caplog.text and "KeyringLocked" in caplog.text


@pytest.mark.row("X2")
def test_a_keychain_that_stays_locked_does_not_hold_up_the_start(keychain: InMemory, api: FakeApi) -> None:
    connected(api, remember=True)
    keychain.locked = True
    app = restarted()

    assert not app.exception and resources.services().registry.endpoints("local") == []


@pytest.mark.row("X2", "T2")
def test_for_many_people_there_is_no_keychain(keychain: InMemory) -> None:
    chain = Keychain(wanted=False)

    assert not chain.usable
    with pytest.raises(KeychainRefused):
        chain.keep("https://api.example.com/v1", SecretStr(KEY))
    assert keychain.kept == {}


@pytest.mark.row("X2", "T26")
def test_a_file_that_others_can_read_is_no_keychain(keychain: InMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("__module__", "keyrings.alt.file"), ("priority", 0.5)):
        with monkeypatch.context() as patch:
            patch.setattr(InMemory, name, value)
            chain = Keychain(wanted=True)
            assert not chain.usable
            assert chain._usable.result(30) is False
