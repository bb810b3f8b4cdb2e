"""Proxies of the environment: which address goes through which, and what is said of one that can't be used."""

from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from lib.core.errors import NameNotFound, ProxyFailed, ProxyUnusable
from lib.gateway.endpoints import Endpoint
from lib.gateway.proxies import proxy_for
from lib.ui.shared import resources
from tests.clients import KEY, answer, failure, listed, request
from tests.fake_api import FakeApi
from tests.forward_proxy import ForwardProxy
from tests.pages import ask, connect, new_tab, shown

NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
SERVICE = Endpoint("service", "http://api.service.test/v1", SecretStr(KEY))
"""A name that nobody can look up; the proxy alone knows where it is."""


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def proxy(api: FakeApi) -> Iterator[ForwardProxy]:
    with ForwardProxy(api.base_url) as proxy:
        yield proxy


@pytest.mark.row("X2")
def test_requests_go_through_the_proxy_that_is_set(
    proxy: ForwardProxy, monkeypatch: pytest.MonkeyPatch, subtests: pytest.Subtests
) -> None:
    for setting, value, kind in [
        ("HTTP_PROXY", "http://{}", "http"),
        ("http_proxy", "{}", "http"),
        ("ALL_PROXY", "http://{}/", "http"),
        ("ALL_PROXY", "socks5://{}", "socks5"),
        ("ALL_PROXY", "SOCKS5H://{}", "socks5"),
        ("HTTP_PROXY", "socks5://{}", "socks5"),
    ]:
        with subtests.test(setting=setting, value=value), monkeypatch.context() as patch:
            patch.setenv(setting, value.format(proxy.address))
            asked = len(proxy.asked)

            assert "echo" in listed(SERVICE)
            assert answer(SERVICE, request("echo", "hello")).choices[0].text == "You said: hello"
            assert set(proxy.asked[asked:]) == {f"{kind} api.service.test"}


@pytest.mark.row("X2")
def test_no_proxy_names_what_is_asked_directly(
    api: FakeApi, proxy: ForwardProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", f"socks5://{proxy.address}")
    monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1,.service.test,fd00::/8,10.0.0.0/8")

    assert isinstance(failure(SERVICE, request("echo"), retry=False), NameNotFound)
    assert proxy.asked == []


@pytest.mark.row("X2")
def test_this_computer_is_asked_directly_whatever_is_set(
    api: FakeApi, proxy: ForwardProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://{proxy.address}")

    assert "echo" in listed(Endpoint("here", api.base_url, SecretStr(KEY)))
    assert proxy.asked == []


def test_names_patterns_addresses_and_ranges_of_no_proxy(
    monkeypatch: pytest.MonkeyPatch, subtests: pytest.Subtests
) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://proxy.test:3128")
    for entries, host, direct in [
        ("", "api.example.com", False),
        ("*", "api.example.com", True),
        ("example.com", "api.example.com", True),
        ("example.com", "example.com", True),
        ("example.com", "notexample.com", False),
        (".example.com", "api.example.com", True),
        ("*.example.com", "api.example.com", True),
        ("*.example.com", "notexample.com", False),
        ("EXAMPLE.com", "api.example.COM", True),
        ("other.org, example.com", "api.example.com", True),
        ("other.org example.com", "api.example.com", True),
        ("other.org;example.com", "api.example.com", True),
        ("http://example.com", "api.example.com", True),
        ("example.com:443", "api.example.com", True),
        ("example.com:8443", "api.example.com", False),
        ("10.0.0.0/8", "10.20.30.40", True),
        ("10.0.0.5/8", "10.20.30.40", True),
        ("10.0.0.0/8", "11.20.30.40", False),
        ("192.168.*", "192.168.1.5", True),
        ("192.168.1.5", "192.168.1.5", True),
        ("192.168.1.5:80", "192.168.1.5", False),
        ("fd00::/8", "[fd12::1]", True),
        ("[fd00::]/8", "[fd12::1]", True),
        ("fd00::/8", "[2001:db8::1]", False),
        ("[2001:db8::1]", "[2001:db8::1]", True),
        ("[2001:db8::1]:443", "[2001:db8::1]", True),
        ("<local>", "intranet", True),
        ("<local>", "api.example.com", False),
        ("fd00::/8,/,://,[,]:x,:,*.*.*.*", "api.example.com", False),
    ]:
        with subtests.test(entries=entries, host=host):
            monkeypatch.setenv("NO_PROXY", entries)
            assert proxy_for(f"https://{host}/v1") == (None if direct else "http://proxy.test:3128")


@pytest.mark.row("X2")
def test_a_proxy_that_does_not_answer_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    for value in ("http://ada:pass-word@127.0.0.1:1", "socks5://ada:pass-word@127.0.0.1:1"):
        monkeypatch.setenv("ALL_PROXY", value)
        error = failure(SERVICE, request("echo"), retry=False)

        assert isinstance(error, ProxyFailed) and "through the proxy 127.0.0.1:1." in str(error)
        assert "pass-word" not in str(error) + error.original


@pytest.mark.row("T20", "X2")
def test_with_a_proxy_that_cannot_be_used_the_page_lives_and_the_dialog_says_so(
    data_dir: object, api: FakeApi, monkeypatch: pytest.MonkeyPatch, subtests: pytest.Subtests
) -> None:
    monkeypatch.setenv("TEMPERA_LOCAL_MODEL", "false")
    monkeypatch.setenv("TEMPERA_BASE_URL", SERVICE.base_url)
    monkeypatch.setenv("TEMPERA_API_KEY", KEY)
    for value in ("socks4://pass-word:1080", "ftp://pass-word", "http://pass-word:port", "http://[pass-word", "://"):
        with subtests.test(value=value):
            monkeypatch.setenv("ALL_PROXY", value)
            error = failure(SERVICE, request("echo"), retry=False)
            assert isinstance(error, ProxyUnusable) and "ALL_PROXY" in str(error) and "pass-word" not in str(error)
            app = connect(new_tab(), "https://other.service.test/v1", KEY)

            assert "The proxy in the setting ALL_PROXY can't be used." in shown(app)
            assert app.chat_input(key="chat_input") and not app.exception
            assert "pass-word" not in shown(app)
            resources.close()


@pytest.mark.row("X2")
def test_the_page_chats_through_a_socks_proxy(
    data_dir: object, proxy: ForwardProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPERA_LOCAL_MODEL", "false")
    monkeypatch.setenv("ALL_PROXY", f"socks5://{proxy.address}")
    monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1,::1,fd00::/8,192.168.*,10.0.0.0/8")
    app = connect(new_tab(), SERVICE.base_url, KEY)

    assert "You said: by way of a proxy" in shown(ask(app, "by way of a proxy"))
    assert set(proxy.asked) == {"socks5 api.service.test"}
    resources.close()
