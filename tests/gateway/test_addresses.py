"""Where no request may go: link-local and metadata addresses, in every spelling, and whatever name leads there."""

import ipaddress
import socket
from dataclasses import replace

import pytest
from pydantic import SecretStr

from lib.core import errors
from lib.gateway import addresses, transport
from lib.gateway.endpoint_registry import EndpointRegistry, typed_endpoint
from lib.gateway.endpoints import APIYI_ADDRESSES, Endpoint
from tests.clients import failure, listed, request
from tests.fake_api import FakeApi
from tests.pages import KEY

FORBIDDEN = (
    "169.254.169.254", "169.254.169.254.", "169.254.0.1", "169.254.43518", "169.16689662", "2852039166", "0xa9fea9fe",
    "0xA9FEA9FE", "0xa9.0xfe.0xa9.0xfe", "0251.0376.0251.0376", "025177524776", "0xa9.254.0251.254", "169.0xfea9fe",
    "[fe80::1]", "[fe80::1%25eth0]", "[febf::1]", "[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]",
    "[0:0:0:0:0:ffff:a9fe:a9fe]", "[::a9fe:a9fe]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b::169.254.169.254]",
    "[64:ff9b:1::a9fe:a9fe]", "[2002:a9fe:a9fe::]", "[2002:a9fe:a9fe::1]", "[2001:0:a9fe:a9fe::1]",
    "[2001:0:4136:e378:8000:63bf:5601:5601]", "[fd00:ec2::254]", "[fd20:ce::254]", "100.100.100.200", "168.63.129.16",
    "0x64.100.100.200", "192.0.0.192", "metadata", "METADATA.google.internal", "metadata.google.internal.",
    "metadata.goog", "instance-data",
)  # fmt: skip
ALLOWED = (
    "api.example.com", "metadata.example.com", "127.0.0.1", "localhost", "2130706433", "0x7f000001", "[::1]",
    "10.0.0.1", "192.168.1.5", "169.253.1.1", "169.255.1.1", "[2002:7f00:1::]", "[fd00::1]", "1.2.3.4.5", "256.1.1.1",
    "0x", "09.1",
)  # fmt: skip


@pytest.mark.row("T6")
def test_no_request_goes_to_the_network_itself_in_any_spelling() -> None:
    """Literals are refused without a connection, also where a proxy would look them up."""
    for host in FORBIDDEN:
        with pytest.raises(errors.InvalidInput, match="belongs to the network itself"):
            typed_endpoint(f"http://{host}/v1", KEY)
        error = failure(Endpoint("odd", f"http://{host}:80/v1", SecretStr(KEY)), request("echo"))
        assert "belongs to the network itself" in error.sentence(), host


def test_whatever_kept_a_connection_from_being_made_its_words_are_kept() -> None:
    """Also those of a kind that nobody foresaw, and of one that says nothing but its name."""
    for error, kind, words in (
        (ConnectionResetError(), errors.ConnectionRefused, "ConnectionResetError"),
        (OSError(113, "No route to host"), errors.ConnectionRefused, "[Errno 113] No route to host"),
        (socket.gaierror(-2, "Name or service not known"), errors.NameNotFound, "Name or service not known"),
        (ValueError("odd"), errors.ConnectionFailed, "odd"),
        (type("EndOfStream", (Exception,), {})(), errors.TlsFailed, "EndOfStream"),
    ):
        found = addresses.unreachable(error)
        assert type(found) is kind and words in found.original, error


def test_other_addresses_are_left_alone() -> None:
    for host in ALLOWED:
        assert typed_endpoint(f"http://{host}/v1", KEY).base_url == f"http://{host}/v1"


@pytest.mark.row("T6")
def test_a_name_that_leads_there_gets_a_connection_and_not_a_byte(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The address that is connected to counts: a name may mean another one each time it is looked up."""
    monkeypatch.setattr(
        addresses, "METADATA_ADDRESSES", {ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1")}
    )
    named = Endpoint("named", api.base_url.replace("127.0.0.1", "localhost"), SecretStr(KEY))

    error = failure(named, request("echo"))
    assert isinstance(error, errors.InvalidInput) and "belongs to the network itself" in error.sentence()
    with pytest.raises(errors.InvalidInput):
        listed(named)
    api.wait(lambda fake: fake.open_connections == 0)
    assert api.requests == []

    monkeypatch.undo()
    assert listed(replace(named)) != []


PRIVATE = (
    "127.0.0.1", "localhost", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0.0.0.0", "0", "10.0.0.1", "10.1",
    "172.16.0.1", "192.168.1.5", "0xc0a80105", "100.64.0.1", "198.18.0.1", "192.0.2.1", "224.0.0.1", "240.0.0.1",
    "255.255.255.255", "[::1]", "[::]", "[fd00::1]", "[fc00::1]", "[fec0::1]", "[ff02::1]", "[2001:db8::1]",
    "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b:1::a00:1]",
    "[2002:7f00:1::]", "[2002:c0a8:105::1]", "[2001:0:7f00:1::1]", *FORBIDDEN,
)  # fmt: skip
PUBLIC = ("93.184.215.14", "8.8.8.8", "[2606:2800:21f:cb07:6820:80da:af6b:8b2c]", "0x08080808")


def visitors(address: str) -> Endpoint:
    return Endpoint("own", address, SecretStr(KEY), public_only=True)


@pytest.mark.row("T6")
def test_what_a_visitor_names_has_to_be_on_the_public_internet_in_any_spelling() -> None:
    """Nothing is connected to, so that nobody learns what takes connections there."""
    for host in PUBLIC:
        addresses.check_public(host)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        for host in PRIVATE:
            error = failure(visitors(f"http://{host}:{listener.getsockname()[1]}/v1"), request("echo"))
            assert isinstance(error, errors.InvalidInput), host
        with pytest.raises(errors.InvalidInput, match="public internet"):
            listed(visitors(f"http://localhost:{listener.getsockname()[1]}/v1"))
        with pytest.raises(BlockingIOError):
            listener.accept()


@pytest.mark.row("T6")
def test_a_name_that_means_another_address_a_moment_later_gets_not_a_byte(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: public when it is looked up, this computer when it is connected to."""

    async def passes(_url: str) -> None:
        return None

    monkeypatch.setattr(transport, "check_public_name", passes)
    error = failure(visitors(api.base_url.replace("127.0.0.1", "localhost")), request("echo"))

    assert isinstance(error, errors.InvalidInput) and "public internet" in error.sentence()
    assert api.requests == []


@pytest.mark.row("T6")
def test_what_a_visitor_names_is_not_asked_through_a_proxy(api: FakeApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would look the name up by itself, inside."""
    monkeypatch.setenv("HTTP_PROXY", api.base_url.removesuffix("/v1"))
    error = failure(visitors("http://own.example/v1"), request("echo"))

    assert isinstance(error, errors.InvalidInput) and "proxy" in error.sentence()
    assert api.requests == []


@pytest.mark.row("T6")
def test_who_shares_tempera_connects_what_the_operator_allows() -> None:
    typed = typed_endpoint("http://8.8.8.8/v1", KEY)
    public, none = (EndpointRegistry([], own_services=own) for own in ("public", "none"))
    assert public.typed("http://8.8.8.8/v1", KEY).public_only and public.connect("ada", typed).public_only
    for refused in (lambda: none.typed("http://8.8.8.8/v1", KEY), lambda: none.connect("ada", typed)):
        with pytest.raises(errors.InvalidInput, match="Whoever runs this Tempera"):
            refused()
    assert none.endpoints("ada") == []


@pytest.mark.row("T5")
def test_the_operators_key_goes_to_the_address_it_was_set_for_alone() -> None:
    """APIYI has two; a person on one's own computer may ask at both."""
    operators = Endpoint("apiyi", APIYI_ADDRESSES[0], SecretStr("sk-test-operator-0001"))
    for own in ("public", "none"):
        assert EndpointRegistry([operators], own_services=own).second_address("ada", "apiyi") is None
    assert EndpointRegistry([operators]).second_address("ada", "apiyi") is not None
    registry = EndpointRegistry([], own_services="public")
    registry.connect("ada", replace(operators, api_key=SecretStr(KEY)))
    assert registry.second_address("ada", "apiyi") is not None and registry.second_address("eve", "apiyi") is None
