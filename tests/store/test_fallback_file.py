"""The fallback file: whole entries or none, nothing left of what is dropped, small, private."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lib.store import fallback_file, schema
from lib.store.fallback_file import FallbackFile
from tests.store_fixtures import ROOT


@contextmanager
def file_in(folder: Path) -> Iterator[FallbackFile]:
    """The fallback file of `folder`, closed afterwards."""
    opened = FallbackFile.open(folder)
    yield opened
    opened.close()


def test_what_is_put_is_there_after_a_restart_and_what_is_dropped_is_nowhere(tmp_path: Path) -> None:
    with file_in(tmp_path) as first:
        assert first.put("a", {"text": "CANARY one"}) and first.put("b", {"text": "two\n行"})
        assert first.put("b", {"text": "twice\n行"})
        first.drop("a")
    with file_in(tmp_path) as second:
        assert second.taken() == {"b": {"text": "twice\n行"}} and second.taken() == {}
        second.drop("b")
    data = (tmp_path / "unsaved-1.spill").read_bytes()
    assert b"CANARY" not in data and b"tw" not in data
    with file_in(tmp_path) as third:
        assert third.taken() == {}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_the_file_is_its_owners_alone_and_its_room_is_taken_beforehand(tmp_path: Path) -> None:
    previous = os.umask(0)
    try:
        with file_in(tmp_path / "data"):  # of an app on PostgreSQL nothing else makes this folder
            found = (tmp_path / "data" / "unsaved-1.spill").stat()
            assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
            assert stat.S_IMODE(found.st_mode) == 0o600
            assert found.st_size == fallback_file.MOST_BYTES and found.st_blocks * 512 >= fallback_file.MOST_BYTES
    finally:
        os.umask(previous)


def test_half_an_entry_is_passed_over(tmp_path: Path) -> None:
    with file_in(tmp_path) as first:
        first.put("a", {"text": "first"}), first.put("b", {"text": "second"}), first.put("c", {"text": "third"})
    path = tmp_path / "unsaved-1.spill"
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"second", b"sec0nd"))
    with file_in(tmp_path) as second:
        assert sorted(second.taken()) == ["a", "c"]
        assert second.put("d", {"text": "d" * 20}) and second.put("e", {"text": "e" * 5000})
    with file_in(tmp_path) as third:
        assert sorted(third.taken()) == ["a", "c", "d", "e"]


def test_the_room_of_dropped_entries_is_used_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fallback_file, "MOST_BYTES", 100_000)
    with file_in(tmp_path) as opened:
        for number in range(200):
            assert opened.put(str(number), {"text": "x" * 30_000}), number
            opened.drop(str(number - 1))
        assert not opened.put("too long", {"text": "x" * 90_000})
    assert (tmp_path / "unsaved-1.spill").stat().st_size <= 100_000


def test_a_second_process_has_a_file_of_its_own_and_the_next_start_takes_over_both(tmp_path: Path) -> None:
    with file_in(tmp_path) as first, file_in(tmp_path) as second:
        first.put("a", {"n": 1}), second.put("b", {"n": 2})
    with file_in(tmp_path) as third:
        assert third.taken() == {"a": {"n": 1}, "b": {"n": 2}}
        assert [path.name for path in tmp_path.iterdir()] == ["unsaved-1.spill"]


def test_a_folder_that_cannot_be_written_takes_nothing_and_raises_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with file_in(tmp_path / "file" / "none") as opened:
        assert not opened.put("a", {}) and opened.taken() == {}


FULL = """
import sys
from pathlib import Path
from lib.store import fallback_file
opened = fallback_file.FallbackFile.open(Path(sys.argv[1]))
try:
    with open(Path(sys.argv[1]) / "filler", "wb") as file:
        while True:
            file.write(bytes(4096)), file.flush()
except OSError as full:
    print(full.errno)
print([opened.put(str(n), {"text": "x" * 3000}) for n in range(3)])
"""


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="a file system is mounted by root only")
def test_entries_fit_when_the_disk_is_really_full(tmp_path: Path) -> None:
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", tmp_path], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        done = subprocess.run([sys.executable, "-c", FULL, tmp_path], cwd=ROOT, capture_output=True, text=True)
        assert done.stdout.splitlines() == ["28", "[True, True, True]"], done.stderr
        with file_in(tmp_path) as opened:
            assert sorted(opened.taken()) == ["0", "1", "2"]
    finally:
        subprocess.run(["umount", tmp_path], check=True)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such limit")
def test_a_limit_on_the_size_of_files_is_no_crash(tmp_path: Path) -> None:
    import resource

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))

    code = FULL.replace("n in range(3)", "n in range(200)").replace("print([", "print(*[")
    command = [sys.executable, "-c", code, tmp_path]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, preexec_fn=limited)
    answers = done.stdout.split()
    assert answers[0] == "27" and answers[1] == "True" and answers[-1] == "False", done.stderr
    with file_in(tmp_path) as opened:
        assert len(opened.taken()) == answers.count("True") > 50


def test_what_is_hidden_in_the_database_is_hidden_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "_hide", [(0, lambda text: text.replace("a key", "…"))])
    with file_in(tmp_path) as opened:
        opened.put("a", {"request": {"messages": [{"content": "here is a key"}]}})
        assert b"a key" not in (tmp_path / "unsaved-1.spill").read_bytes()
    with file_in(tmp_path) as later:
        assert later.taken() == {"a": {"request": {"messages": [{"content": "here is …"}]}}}
