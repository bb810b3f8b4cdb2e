"""Protections that nothing else would miss: each test fails when the one it names is taken out."""

import csv
import http.client
import io
import json
import logging
import re
import runpy
import shlex
import socket
import ssl
import stat
import subprocess
import threading
import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError
from streamlit.testing.v1 import AppTest

from lib.core import csv_table, errors
from lib.gateway import endpoints
from lib.gateway.endpoint_registry import EndpointRegistry
from lib.gateway.endpoints import Endpoint
from lib.gateway.raw_answers import RawAnswers
from lib.settings import Settings
from lib.store.database import Store
from lib.ui.shared import resources
from lib.ui.shared.error_box import bug_box
from tests.app_server import ROOT, AppServer
from tests.clients import failure, listed, request
from tests.fake_api import FakeApi
from tests.pages import KEY, new_tab

REQUIREMENTS = ("requirements.txt", "requirements-dev.txt", "requirements-model.txt")


@pytest.fixture
def app(bare_app: AppServer) -> AppServer:
    return bare_app


def answered(app: AppServer, method: str, path: str, **headers: str) -> tuple[int, dict[str, str], str]:
    """Status, headers (names in small letters) and text of an answer."""
    connection = http.client.HTTPConnection(app.url.removeprefix("http://"), timeout=10)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body=b"x" if method == "PUT" else None, headers=named)
    answer = connection.getresponse()
    text = answer.read().decode("utf-8", "replace")
    connection.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, text


# The server


def test_only_this_computer_reaches_the_page(app: AppServer) -> None:
    """server.address: bound to all addresses it would answer at 127.0.0.2 too."""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", int(app.url.rpartition(":")[2])), timeout=5)


@pytest.mark.row("T18")
def test_no_page_of_another_origin_reads_an_answer(app: AppServer) -> None:
    """server.enableCORS"""
    for path in ("/_stcore/health", "/_stcore/host-config", "/", "/healthz"):
        for origin in ("http://evil.example", "null"):
            assert "access-control-allow-origin" not in answered(app, "GET", path, Origin=origin)[1], path


def test_a_file_is_taken_from_our_own_page_only(app: AppServer) -> None:
    """server.enableXsrfProtection: without its token an upload is refused before anybody looks whose it is."""
    status, _headers, text = answered(app, "PUT", "/_stcore/upload_file/session/file")

    assert status == 403 and "xsrf" in text.lower()


@pytest.mark.row("T18")
def test_not_even_another_program_on_this_computer_opens_the_websocket_from_its_page(app: AppServer) -> None:
    """PageMiddleware: Streamlit itself takes any page of localhost for ours."""
    port = int(app.url.rpartition(":")[2])
    lines = (
        "GET /_stcore/stream HTTP/1.1", f"Host: 127.0.0.1:{port}", "Origin: http://localhost:1", "Connection: Upgrade",
        "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "", "",
    )  # fmt: skip
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall("\r\n".join(lines).encode())
        assert connection.recv(4096).split()[1] == b"403"


def test_every_protective_setting_of_the_server_stands() -> None:
    """What has no behaviour that a test could see, or one of a browser's only."""
    settings = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))
    expected: dict[str, dict[str, Any]] = {
        "server": {
            "address": "127.0.0.1", "enableCORS": True, "enableXsrfProtection": True, "enableStaticServing": False,
            "allowedHosts": ["localhost", "127.0.0.1", "[::1]", "::1"], "maxUploadSize": 100, "fileWatcherType": "none",
        },
        "logger": {"enableRich": False},
        "browser": {"gatherUsageStats": False},
        "client": {
            "showErrorDetails": "none", "showErrorLinks": False, "toolbarMode": "minimal", "disableDataExport": True,
            "allowedOrigins": [],
        },
        "runner": {"magicEnabled": False, "fastReruns": False},
    }  # fmt: skip
    for section, values in expected.items():
        assert {name: settings[section].get(name) for name in values} == values, section


@pytest.mark.row("T20")
def test_an_unforeseen_error_shows_nothing_of_itself(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """client.showErrorDetails"""

    def broken() -> None:
        raise RuntimeError("/home/ada/secret.txt is gone")

    monkeypatch.setattr(resources, "services", broken)
    tab = new_tab()

    assert tab.exception
    seen = "".join(str(error.proto) for error in tab.exception)
    assert "ada" not in seen and "main.py" not in seen and "RuntimeError" not in seen


def _bug() -> None:
    from lib.ui.shared.error_box import bug_box  # AppTest runs this function's text on its own

    assert bug_box(RuntimeError("/home/ada/secret.txt is gone"))


@pytest.mark.row("T20")
def test_who_meets_an_unforeseen_error_gets_a_number_that_the_log_has(caplog: pytest.LogCaptureFixture) -> None:
    """st.App's on_script_error, which no AppTest has."""
    assert runpy.run_path(str(ROOT / "app.py"))["app"]._on_script_error is bug_box
    [box] = AppTest.from_function(_bug).run().error
    number = re.search(r"\(number ([0-9a-f]{8})\)", box.value)

    assert number and f"bug {number[1]}" in caplog.text and "secret.txt" in caplog.text
    assert "/home" not in box.value and "secret" not in box.value


# The services


@pytest.mark.row("T5")
def test_a_visitors_service_never_takes_the_place_of_the_operators() -> None:
    """Else the visitor's address would get what is meant for the operator's, and the other way round."""
    operators = Endpoint("apiyi", "https://api.apiyi.com/v1", SecretStr("sk-test-operator-0001"))
    registry = EndpointRegistry([operators])
    with pytest.raises(errors.InvalidInput, match="has set APIYI to"):
        registry.connect("eve", Endpoint("apiyi", "https://evil.example/v1", SecretStr("sk-test-of-eve-0002")))

    assert [one.base_url for one in registry.endpoints("eve")] == [operators.base_url]
    found, _model = endpoints.find("apiyi/gpt-4o", registry.endpoints("eve"))
    assert (found.base_url, found.api_key) == (operators.base_url, operators.api_key)


@pytest.mark.row("T13")
def test_a_visitors_service_is_nobody_elses() -> None:
    registry = EndpointRegistry([])
    registry.connect("ada", Endpoint("own", "https://own.example/v1", SecretStr("sk-test-of-ada-0002")))

    assert registry.endpoints("eve") == [] and registry.own("eve") == []


@pytest.mark.row("T21")
def test_of_an_error_body_no_more_is_read_than_can_be_shown(api: FakeApi) -> None:
    """MOST_ERROR_BYTES: the connection is left while the service still sends."""
    api.script("flood", *[b"x" * 65_536] * 2_000, status=400)
    failure(Endpoint("fake", api.base_url, SecretStr(KEY)), request("flood"))

    api.wait(lambda fake: fake.open_connections == 0)
    assert api.requests[-1].finished is None


@pytest.mark.row("T21")
def test_a_list_of_models_without_end_is_none(api: FakeApi) -> None:
    """MOST_LIST_BYTES"""
    ids = [{"id": f"{number}{'m' * 250}"} for number in range(18_000)]
    api.script_models(json.dumps({"data": ids}))

    with pytest.raises(errors.NoModelList):
        listed(Endpoint("fake", api.base_url, SecretStr(KEY)))


def test_a_service_with_a_certificate_that_nobody_vouches_for_gets_no_request(tmp_path: Path) -> None:
    """TLS is verified."""
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "cert.pem"]
    name = ["-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    try:
        subprocess.run([*made, *name], cwd=tmp_path, capture_output=True, check=True, timeout=60)
    except FileNotFoundError:
        pytest.skip("no openssl on this computer")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    received: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=_take_one, args=(listener, context, received))
        server.start()
        place = Endpoint("own", f"https://localhost:{listener.getsockname()[1]}/v1", SecretStr(KEY))
        error = failure(place, request("echo"))
        server.join(10)

    assert isinstance(error, errors.TlsFailed)
    assert received == []


def _take_one(listener: socket.socket, context: ssl.SSLContext, received: list[bytes]) -> None:
    listener.settimeout(10)
    connection, _address = listener.accept()
    try:
        with context.wrap_socket(connection, server_side=True) as secure:
            received.append(secure.recv(65_536))
    except OSError:
        connection.close()


# The pages


def _box(message: str) -> None:
    from lib.core.errors import InvalidInput  # AppTest runs this function's text on its own
    from lib.ui.shared.error_box import error_box

    error = InvalidInput("![x](https://evil.example/b.png) {model} is not there.", model=message)
    error.original = message
    error_box(error)


@pytest.mark.row("T9")
def test_an_error_box_loads_no_image_and_shows_the_services_text_as_it_is() -> None:
    """Error texts come from services: what carries data out in an answer would do so here."""
    for text in ("![x](https://evil.example/a.png)", "[x](data:text/html,a)", "![x][y]\n\n[y]: https://evil.example/a"):
        tab = AppTest.from_function(_box, args=(text,)).run()
        [box] = tab.error
        assert "![" not in box.value and "](data:" not in box.value
        assert "\\[x\\]" in box.value, "what a service says makes no link either"
        assert [code.value for code in tab.code] == [text]


@pytest.mark.row("T4")
def test_a_typed_key_is_a_password_and_is_kept_by_no_browser_and_no_page() -> None:
    """Not among what a reload brings back, what a preset keeps, or what a link carries."""
    calls = [text for text in _calls(ROOT / "lib/ui/shared/connection_form.py") if '"connection_key"' in text]
    assert (
        [call for call in calls if "st.text_input(" in call]
        == [call for call in calls if 'type="password"' in call and 'autocomplete="off"' in call]
        != []
    )
    assert not any("persist_state" in call for call in calls)
    for path in [*ROOT.glob("lib/**/*.py"), *ROOT.glob("pages/*.py")]:
        if path.name != "connection_form.py":
            assert "connection_key" not in path.read_text("utf-8"), path


def _calls(path: Path) -> list[str]:
    """The text of each statement of a file that calls something, without line ends."""
    text = re.sub(r"\s*\n\s+(?=[^\s#])", " ", path.read_text("utf-8"))
    return re.findall(r"st\.\w+\(.*?\)(?= st\.| [a-z_]+\(|\n|$)", text)


# What is installed


@pytest.mark.row("T25")
def test_everything_is_installed_by_its_hash() -> None:
    """In what `make` runs, and in what README.md and CONTRIBUTING.md tell to type."""
    recipe = subprocess.run(
        ["make", "-n", "-B", ".venv/.dev"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=30
    ).stdout
    told = "\n".join((ROOT / name).read_text("utf-8") for name in ("README.md", "CONTRIBUTING.md", ".ci/run"))
    lines = re.split(r"\n|<br>|`", recipe + told)
    commands = [line for line in lines if re.search(r"pip .*install .*-r |uv pip (sync|install)", line)]
    assert len(commands) >= 6
    assert [command for command in commands if "--require-hashes" not in command] == []


@pytest.mark.row("T25")
def test_every_package_is_pinned_with_a_hash() -> None:
    for name in REQUIREMENTS:
        text = (ROOT / name).read_text("utf-8").replace("\\\n", " ")
        packages = [line for line in text.splitlines() if line.strip() and not line.startswith(("#", " ", "-"))]
        assert packages, name
        assert [line for line in packages if "--hash=sha256:" not in line] == [], name
        assert [line for line in packages if not re.match(r"[\w.-]+(\[[\w, -]+\])?(==| @ )", line)] == [], name


@pytest.mark.row("T25")
def test_the_lock_files_are_made_with_hashes() -> None:
    recipe = subprocess.run(
        ["make", "-n", "-B", "lock"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=30
    ).stdout.replace("\\\n", " ")
    compiled = [line for line in recipe.splitlines() if "pip compile" in line]

    assert len(compiled) == 3 and all("--generate-hashes" in line for line in compiled)
    # As make does it, but for the program's place and that make says nothing.
    [told] = re.findall(r"^uv (pip compile .*)$", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), re.M)
    assert shlex.split(told) == shlex.split(compiled[0].partition(" ")[2].replace("--quiet ", ""))


# What is kept and written


@pytest.mark.row("T26")
def test_a_database_that_others_could_read_is_closed_to_them_when_it_is_opened(tmp_path: Path) -> None:
    file = tmp_path / "tempera.db"
    Store.open(f"sqlite:///{file}").close()
    file.chmod(0o644)
    Store.open(f"sqlite:///{file}").close()

    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.row("T10")
def test_no_text_in_a_csv_file_begins_a_formula() -> None:
    texts = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "plain"]
    rows = list(csv.reader(io.StringIO(csv_table.to_csv(["a"], [[text] for text in texts]).decode("utf-8-sig"), "")))

    assert [row[0] for row in rows[1:]] == [*(f"'{text}" for text in texts[:-1]), "plain"]


@pytest.mark.row("T13")
def test_what_came_for_a_call_is_nobody_elses() -> None:
    answers = RawAnswers()
    answers.begin("ada", "call", "").add(b"for ada")

    assert answers.get("eve", "call") is None
    found = answers.get("ada", "call")
    assert found is not None and found.text == "for ada"


@pytest.mark.row("T22")
def test_the_log_is_masked_from_the_start_on(service: FakeApi, caplog: pytest.LogCaptureFixture) -> None:
    factory = logging.getLogRecordFactory()
    logging.setLogRecordFactory(logging.LogRecord)
    try:
        resources.services()
        logging.getLogger("anybody").warning("the key is %s", KEY)
    finally:
        logging.setLogRecordFactory(factory)

    assert f"the key is …{KEY[-4:]}" in caplog.text and KEY not in caplog.text


def test_a_setting_that_is_wrong_is_not_repeated() -> None:
    """It may be a key in the wrong place."""
    with pytest.raises(ValidationError) as wrong:
        Settings.model_validate({"first_token_seconds": KEY, "mode": KEY})

    assert KEY not in str(wrong.value) and KEY not in repr(wrong.value)
    assert KEY not in repr(Settings.model_validate({"api_key": KEY}))
