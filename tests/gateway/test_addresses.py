"""Where no request may go: link-local and metadata addresses, in every spelling, and whatever name leads there."""

import ipaddress
from dataclasses import replace

import pytest
from pydantic import SecretStr

from lib.core import errors
from lib.gateway import addresses
from lib.gateway.endpoint_registry import typed_endpoint
from lib.gateway.endpoints import Endpoint
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
