"""Who is let in to a shared Tempera, for how long, and what it takes to guess."""

import asyncio
import re
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
from itsdangerous import TimestampSigner
from starlette.types import Message, Receive, Scope, Send

from lib.access import password, tries
from lib.access.cookie_secret import FILE, cookie_secret
from lib.access.invited import Invited
from lib.access.sign_ins import COOKIE, SignIns
from lib.access.tries import Tries
from lib.core.errors import SettingsError, TooManyTries, WrongPassword
from lib.services import Services
from lib.settings import Settings
from lib.store.database import Store
from lib.ui.shared import resources
from lib.ui.shared.sign_in_gate import SignInGate
from tests.accounts import hash_of

ROOT = Path(__file__).parents[2]
PASSWORD = "four unrelated words é"
HASH = hash_of(PASSWORD)
SECRET = "s" * 48
HOUR = 3600.0
ADDRESS = "203.0.113.5"


@pytest.fixture
def memory() -> Iterator[Store]:
    store = Store.in_memory()
    yield store
    store.close()


def sign_ins(store: Store, hash: str = HASH, secret: str = SECRET) -> SignIns:
    return SignIns(hash, secret, HOUR, store)


def enter(known: SignIns, typed: str = PASSWORD, former: str = "") -> str:
    return asyncio.run(known.enter(typed, ADDRESS, former))


def admitted(known: SignIns, cookie: str) -> str | None:
    return asyncio.run(known.admitted(cookie))


@pytest.mark.row("T17")
def test_only_a_cookie_that_was_given_to_somebody_lets_in(memory: Store) -> None:
    known = sign_ins(memory)
    cookie = enter(known)
    visitor = admitted(known, cookie)

    assert visitor is not None and len(visitor) == 32
    assert known.visitor(cookie) == visitor
    assert visitor != admitted(known, enter(known)), "each browser is somebody else"
    # Not its last character: the four that differ in what fills up Base64 alone stand for the same signature.
    changed = cookie[:-2] + ("A" if cookie[-2] != "A" else "B") + cookie[-1]
    others = sign_ins(memory, secret="t" * 48)
    for forged in ("", "x", visitor, changed, cookie.partition(".")[0], "." + cookie, enter(others)):
        assert admitted(known, forged) is None and known.visitor(forged) is None, forged


@pytest.mark.row("T17")
def test_a_sign_in_ends_after_its_time_and_goes_on_as_the_same_visitor(
    memory: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = sign_ins(memory)
    with monkeypatch.context() as earlier:
        earlier.setattr(TimestampSigner, "get_timestamp", lambda _: 1_000_000_000)
        cookie = enter(known)
        visitor = admitted(known, cookie)

    assert visitor and admitted(known, cookie) is None and known.visitor(cookie) is None
    assert admitted(known, enter(known, former=cookie)) == visitor


@pytest.mark.row("T17")
def test_a_new_password_ends_all_sign_ins_and_loses_nobodys_things(memory: Store) -> None:
    before = sign_ins(memory)
    cookie = enter(before)
    after = sign_ins(memory, hash=hash_of("another long password"))

    assert admitted(after, cookie) is None
    again = enter(after, "another long password", former=cookie)
    assert admitted(after, again) == admitted(before, cookie)


@pytest.mark.row("T17")
def test_who_is_not_invited_any_more_is_out_with_the_next_start(memory: Store) -> None:
    invited = Invited(["ada@example.com", "@example.org"])
    before = SignIns("", SECRET, HOUR, memory, invited)
    claims = {"exp": time.time() + 60}
    ada, eve = (before.enter_with_account({"email": mail, **claims}) for mail in ("ada@example.com", "eve@example.org"))
    after = SignIns("", SECRET, HOUR, memory, Invited(["@example.org"]))
    assert [admitted(one, cookie) for one in (before, after) for cookie in (ada, eve)] == [
        *("ada@example.com", "eve@example.org"),
        *(None, "eve@example.org"),
    ]
    assert after.visitor(ada) is None


@pytest.mark.row("T17")
def test_who_has_signed_out_is_gone_for_good_after_a_restart_too(memory: Store) -> None:
    known = sign_ins(memory)
    cookie = enter(known)
    visitor = admitted(known, cookie)
    assert visitor
    known.leave(cookie)

    for one in (known, sign_ins(memory)):
        assert admitted(one, cookie) is None
        assert admitted(one, enter(one, former=cookie)) not in (None, visitor), "who comes next sees nothing of it"
    assert known.visitor(cookie) is None


@pytest.mark.row("T17")
def test_a_websocket_is_let_in_by_all_that_is_known_of_its_sign_in(
    memory: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also by what only the store knows, right after a start."""
    before = sign_ins(memory)
    left, there = enter(before), enter(before)
    before.leave(left)
    monkeypatch.setattr(resources, "services", lambda: SimpleNamespace(sign_ins=sign_ins(memory)))
    reached, sent = list[str](), list[Message]()

    async def page(scope: Scope, receive: Receive, send: Send) -> None:
        reached.append(scope["path"])

    async def say(message: Message) -> None:
        sent.append(message)

    for cookie, path in ((left, "/left"), ("", "/none"), (there, "/there")):
        headers = [(b"cookie", f"{COOKIE}={cookie}".encode())]
        scope = {"type": "websocket", "path": path, "headers": headers}
        asyncio.run(SignInGate(page)(scope, partial(asyncio.sleep, 0, {}), say))
    assert reached == ["/there"] and sent == [{"type": "websocket.close", "code": 1008}] * 2


@pytest.mark.row("T17")
def test_the_password_may_be_tried_a_few_times(memory: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also by many at once, of whom each would be the last one allowed; and the right one counts as well then."""
    asked: list[str] = []
    monkeypatch.setattr(password, "matches", lambda _hash, typed: asked.append(typed) or typed == PASSWORD)
    known = sign_ins(memory)

    async def guess() -> list[object]:
        wrong = (known.enter(f"guess {number}", ADDRESS) for number in range(50))
        return await asyncio.gather(*wrong, return_exceptions=True)

    kinds = [type(result) for result in asyncio.run(guess())]
    assert kinds.count(WrongPassword) == len(asked) == tries.OF_ONE[0].amount
    assert kinds.count(TooManyTries) == 50 - len(asked)
    with pytest.raises(TooManyTries) as refused:
        enter(known)
    assert 0 < refused.value.seconds <= 60
    assert asyncio.run(known.enter(PASSWORD, "203.0.113.6")), "somebody else is not held up"


@pytest.mark.row("T17")
def test_who_knows_the_password_is_not_counted_against_the_neighbours(memory: Store) -> None:
    counted = Tries()
    for _ in range(50):
        counted.take(ADDRESS)
        counted.succeeded(ADDRESS)


@pytest.mark.row("T17")
def test_many_addresses_guess_no_faster_than_one_set_of_people_may() -> None:
    counted, allowed = Tries(), 0
    with pytest.raises(TooManyTries):
        for number in range(1_000):
            counted.take(f"198.51.{number // 250}.{number % 250}")
            allowed += 1
    assert allowed == tries.OF_ALL[0].amount


@pytest.mark.row("T17")
def test_the_addresses_of_one_network_are_one() -> None:
    for same in (
        [f"2001:db8:1:2::{number:x}" for number in range(9)],
        ["203.0.113.9", "::ffff:203.0.113.9"] * 5,
        ["not an address", "", "unix:"] * 3,
    ):
        counted = Tries()
        with pytest.raises(TooManyTries):
            for address in same:
                counted.take(address)
        counted.take("2001:db8:1:3::1")


def test_a_password_is_the_same_however_a_keyboard_writes_it() -> None:
    made = password.hashed(PASSWORD)
    assert made.startswith("$argon2id$") and PASSWORD not in made and password.hashed(PASSWORD) != made
    assert password.matches(made, PASSWORD) and password.matches(
        made, PASSWORD.replace("é", "e\N{COMBINING ACUTE ACCENT}")
    )
    for wrong in ("", PASSWORD.upper(), PASSWORD + " ", "x" * 2_000_000):
        assert not password.matches(hash_of(PASSWORD), wrong)
    assert password.is_hash(made)
    for text in ("", PASSWORD, made.replace("$", ""), "=1=65536,t=3,p=4"):
        assert not password.is_hash(text)


def test_the_command_prints_the_setting_and_nothing_of_the_password() -> None:
    command = [sys.executable, str(ROOT / "scripts" / "password.py")]
    for typed, fine in ((PASSWORD, True), ("too short", False), ("x" * 2_000, False)):
        ended = subprocess.run(command, input=f"{typed}\n", capture_output=True, text=True, timeout=60, check=False)
        setting = re.fullmatch(r"TEMPERA_PASSWORD_HASH='(\S+)'\n", ended.stdout)
        assert (ended.returncode == 0) == fine == (setting is not None), ended.stderr
        assert typed not in ended.stdout + ended.stderr and "Traceback" not in ended.stderr
        if setting:
            assert password.matches(setting[1], typed)


@pytest.mark.row("T17", "T26")
def test_what_signs_is_made_once_and_is_the_owners_alone(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    first = cookie_secret("", folder)

    assert len(first) >= 48 and cookie_secret("", folder) == first
    assert stat.S_IMODE((folder / FILE).stat().st_mode) == 0o600
    assert [file.name for file in folder.iterdir()] == [FILE]
    assert cookie_secret("o" * 32, folder) == "o" * 32
    with pytest.raises(SettingsError):
        cookie_secret("short", folder)
    (folder / FILE).write_text("")
    with pytest.raises(SettingsError):
        cookie_secret("", folder)


@pytest.mark.row("T17")
def test_who_has_signed_out_in_one_process_is_out_in_all(memory: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = sign_ins(memory), sign_ins(memory)
    cookie = asyncio.run(one.enter(PASSWORD, "10.0.0.1"))
    assert asyncio.run(other.admitted(cookie)) == asyncio.run(one.admitted(cookie)) is not None
    one.leave(cookie)
    monkeypatch.setattr("lib.access.sign_ins.AGAIN_SECONDS", 0.0)

    assert asyncio.run(other.admitted(cookie)) is None and other.visitor(cookie) is None


@pytest.mark.row("T17")
def test_settings_that_would_let_everybody_in_do_not_start(tmp_path: Path) -> None:
    """With a password and without the mode, everybody behind a proxy would be the one person that there is."""
    for mode, hash, words in (
        ("shared", "", "needs a sign-in"),
        ("shared", "hunter2 hunter2", "is no hash"),
        ("local", HASH, "TEMPERA_MODE is not shared"),
    ):
        settings = Settings.model_validate(
            {"mode": mode, "password_hash": hash, "data_dir": tmp_path / "data", "local_model": False}
        )
        with pytest.raises(SettingsError) as refused:
            Services.open(settings)
        assert words in refused.value.sentence() and (not hash or hash not in refused.value.sentence())
        assert not (tmp_path / "data").exists()


@pytest.mark.row("T14", "T17")
def test_without_its_database_it_does_not_start(tmp_path: Path) -> None:
    """In memory the caps would begin anew, and a cookie that was signed out would let in again; who has Tempera alone
    can chat on."""
    (tmp_path / "file").write_text("")
    for url in ("postgresql://nobody@127.0.0.1:1/none", f"sqlite:///{tmp_path / 'file' / 'tempera.db'}"):
        told = {"data_dir": tmp_path / "data", "database_url": url, "local_model": False}
        with pytest.raises(SettingsError) as refused:
            Services.open(Settings.model_validate(told | {"mode": "shared", "password_hash": HASH}))
        assert "does not start without its database" in refused.value.sentence() and refused.value.original
        alone = Services.open(Settings.model_validate(told))
        assert alone.store_trouble is not None and not alone.store.durable
        alone.close()
