"""A file beside the database for what the database can't take: small, of a fixed size, its room taken beforehand.

Each entry is one line, `<crc32> <key> <JSON>`, synced before `put` returns. Dropping an entry overwrites it in place,
which needs no room on the disk and leaves nothing of its text. A half-written line fails its checksum and is passed
over. Each process has a file of its own; those of dead processes are taken over at the next start.
"""

import contextlib
import json
import logging
import os
import shutil
import threading
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lib.store.process_lock import lock_file
from lib.store.schema import clean_json

MOST_BYTES = 16 * 2**20
LEAST_BYTES = 64 * 2**10
SHARE = 8
"""At most one part in so many of the room that is left is taken beforehand."""
MOST_FILES = 16
log = logging.getLogger(__name__)


class FallbackFile:
    """The entries of this process, by key. Without a file (`fd` None) nothing fits, and `put` says so."""

    def __init__(self, fd: int | None = None, folder: Path | None = None) -> None:
        self._fd = fd
        # Worker threads put and drop while script threads forget a deleted chat: no span may be given twice.
        self._lock = threading.Lock()
        self._spans: dict[str, tuple[int, int]] = {}
        """Offset and length of each entry."""
        self._taken_over: dict[str, Any] = {}
        if fd is not None and folder is not None:
            self._read()
            _preallocate(fd, folder)

    @classmethod
    def open(cls, folder: Path) -> "FallbackFile":
        """The first file in `folder` that no living process has, with what is in it and in those of dead processes;
        one without a file where the folder can't be written."""
        found: FallbackFile | None = None
        with contextlib.suppress(OSError):  # with PostgreSQL nobody else makes it
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in (folder / f"unsaved-{number}.spill" for number in range(1, MOST_FILES + 1)):
            # Once there is a file of our own, the others are only looked through, not made.
            if found is not None and not path.exists():
                continue
            fd = _locked(path)
            if fd is None:
                continue
            if found is None:
                found = cls(fd, folder)
            else:
                found._take_over(fd, path)
        return found or cls()

    def put(self, key: str, value: Mapping[str, Any]) -> bool:
        """Keep `value` (JSON values) under `key` until it is dropped; False where there is no room for it."""
        with self._lock:
            if self._fd is None:
                return False
            line = _line(key, value)
            old, offset = self._spans.get(key), self._gap(len(line))
            try:
                if offset is None:
                    return False
                if not _write(self._fd, line, offset):
                    self._blank((offset, len(line)))
                    return False
                # The new one before the old one goes: in a power cut between the two, one of them is whole.
                self._spans[key] = (offset, len(line))
                if old is not None:
                    self._blank(old)
            except OSError as problem:
                log.warning("an entry could not be put aside: %s", problem.strerror)
                return False
            return True

    def drop(self, key: str) -> None:
        """Overwrite the entry of `key`, if there is one."""
        with self._lock:
            span = self._spans.pop(key, None)
            if span is not None and self._fd is not None:
                self._blank(span)

    def taken(self) -> dict[str, Any]:
        """What earlier processes left, by key; each is dropped like any other entry. Given once."""
        taken, self._taken_over = self._taken_over, {}
        return taken

    def close(self) -> None:
        """Let go of the file; its entries stay in it for the next start."""
        with self._lock:
            if self._fd is not None:
                os.close(self._fd)
                self._fd = None

    def _read(self) -> None:
        assert self._fd is not None
        for key, value, span in _entries(self._fd):
            self._spans[key] = span
            self._taken_over[key] = value

    def _take_over(self, fd: int, path: Path) -> None:
        """Move the entries of a dead process's file into this one; the file goes unless something did not fit."""
        moved = [self.put(key, value) for key, value, _ in _entries(fd)]
        self._taken_over |= {key: value for key, value, _ in _entries(fd)}
        # Else it stays as it is: the start after this one tries again.
        if all(moved):
            with contextlib.suppress(OSError):
                path.unlink()
        os.close(fd)

    def _gap(self, length: int) -> int | None:
        """The offset of the first gap of `length` bytes; None where there is none."""
        end = 0
        for offset, taken in sorted(self._spans.values()):
            if offset - end >= length:
                return end
            end = offset + taken
        return end if end + length <= MOST_BYTES else None

    def _blank(self, span: tuple[int, int]) -> None:
        assert self._fd is not None
        offset, length = span
        with contextlib.suppress(OSError):
            # Line ends: what was blanked reads as empty lines, and a half-written entry before it ends there.
            _write(self._fd, b"\n" * length, offset)


def _locked(path: Path) -> int | None:
    """The file at `path`, made where it is missing, held until it is closed; None where that can't be."""
    try:
        # O_BINARY: Windows would write two bytes for each line end, and every offset would be wrong.
        fd = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0), 0o600)
    except OSError:
        return None
    try:
        lock_file(fd)
        with contextlib.suppress(OSError):
            path.chmod(0o600)
        # Another process may have taken the file over and removed it before the lock was on.
        if path.stat().st_ino == os.fstat(fd).st_ino:
            return fd
    except OSError:
        pass
    os.close(fd)
    return None


def _preallocate(fd: int, folder: Path) -> None:
    """Take room on the disk while there is some, so that entries fit when there is none."""
    if not hasattr(os, "posix_fallocate"):
        return
    size = os.fstat(fd).st_size
    wanted = min(MOST_BYTES, size + shutil.disk_usage(folder).free // SHARE)
    while wanted >= max(LEAST_BYTES, size + 1):
        try:
            # A quota or a limit on file sizes may allow less than the disk has free: then half of it, and so on.
            os.posix_fallocate(fd, 0, wanted)
            return
        except OSError:  # a limit on the size of files, say
            wanted //= 2


def _line(key: str, value: Mapping[str, Any]) -> bytes:
    # Clean as in the database, where it is going to be: what is hidden there is hidden here.
    body = f"{key} {json.dumps(clean_json(value), ensure_ascii=True)}\n".encode()
    return f"\n{zlib.crc32(body):08x} ".encode() + body


def _write(fd: int, data: bytes, offset: int) -> bool:
    """Whether all of `data` is on the disk at `offset`."""
    if hasattr(os, "pwrite"):
        written = os.pwrite(fd, data, offset)
    else:  # Windows
        os.lseek(fd, offset, os.SEEK_SET)
        written = os.write(fd, data)
    # An entry is here because the process may be killed, or the power cut, before the database takes it.
    os.fsync(fd)
    return written == len(data)


def _entries(fd: int) -> list[tuple[str, Any, tuple[int, int]]]:
    """(key, value, span) of each whole entry of a file."""
    os.lseek(fd, 0, os.SEEK_SET)
    with open(fd, "rb", closefd=False) as file:
        data = file.read(MOST_BYTES + 1)
    found, offset = [], 0
    for line in data.split(b"\n"):
        crc, _, body = line.strip(b"\0").partition(b" ")
        key, _, text = body.partition(b" ")
        with contextlib.suppress(ValueError):
            if text and int(crc, 16) == zlib.crc32(body + b"\n"):
                # The line break before an entry belongs to it: it ends whatever was half written there.
                span = (max(0, offset - 1), len(line) + 2)
                found.append((key.decode(), json.loads(text), span))
        offset += len(line) + 1
    return found
