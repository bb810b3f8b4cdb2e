"""Masks the keys that this process knows in what services send, and in the log.

A key is found by its value only, plain or in one of the forms that programs give it, so that all else stays to the
letter. Shorter ones than `SHORTEST` are left alone: they could be words.
"""

import logging
import re
import threading
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any
from urllib.parse import quote

from pydantic import SecretStr

log = logging.getLogger(__name__)
SHORTEST = 16
_SHORTEST_SHOWN = 12
_ALIGNMENTS = 3


def forms(key: str) -> set[str]:
    """`key` as it may be written: plain, quoted, in hex, reversed, and within a Base64 text at each of its three
    alignments."""
    data = key.encode("utf-8", "replace")
    percent = "".join(f"%{byte:02X}" for byte in data)
    quoted = {quote(key, safe=""), percent}
    plain = {key, key[::-1], key.replace("/", "\\/"), data.hex(), data.hex().upper()}
    return {*plain, *quoted, *map(_lower_escapes, quoted), *_base64(data)}


def _lower_escapes(quoted: str) -> str:
    """A quoted text as .NET writes it: `%2f`, and all else as it is."""
    return re.sub("%..", lambda found: found[0].lower(), quoted)


def _base64(data: bytes) -> Iterator[str]:
    """What of a Base64 text depends on `data` alone, wherever they stand in it; with both alphabets."""
    # Base64 takes three bytes at a time: the same key looks different after 0, 1 or 2 bytes of something else.
    for before in range(_ALIGNMENTS):
        encoded = b64encode(bytes(before) + data + bytes(2)).decode()
        whole = encoded[-(-before * 8 // 6) : (before + len(data)) * 8 // 6]
        yield whole
        yield whole.translate(str.maketrans("+/", "-_"))


def last_four(key: str) -> str:
    """An ellipsis and the last four characters of a key: all that may be shown of it, and of a short one nothing."""
    return "…" + (key[-4:] if len(key) >= _SHORTEST_SHOWN else "")


class KeyMasker:
    """Masks keys in a text that comes in pieces, wherever it is cut: what may begin a key is held back until the next
    piece, or `flush`, tells. Takes time linear to the text."""

    def __init__(self, known: "Forms") -> None:
        self._known = known
        self._held = ""

    def take(self, piece: str) -> str:
        """Take in a piece; what of the text is certain by now, without keys."""
        if not self._known.shortest:
            return piece
        text, self._held = self._known.split(self._held + piece)
        return text

    def flush(self) -> str:
        """What is still held back, at the end of the text; so much of a key that it can't be chance is masked too."""
        held, self._held = self._held, ""
        return held if len(held) < SHORTEST else "…"


class Forms:
    """All forms of some keys, ready to be looked for."""

    def __init__(self, keys: Iterable[str]) -> None:
        self._shown = {form: last_four(key) for key in keys if len(key) >= SHORTEST for form in forms(key)}
        # The longest first: where one form begins another, the regular expression takes the first that fits.
        self._forms = sorted(self._shown, key=len, reverse=True)
        self.shortest = min(map(len, self._forms), default=0)
        self._longest = max(map(len, self._forms), default=0)

    def masked(self, text: str) -> str:
        """A whole text without keys, nor the beginning of one at its end."""
        if len(text) < SHORTEST:
            return text  # names and numbers, of which an answer has dozens
        masker = KeyMasker(self)
        return masker.take(text) + masker.flush()

    def masked_whole(self, text: str) -> str:
        """A text that was cut nowhere, without keys: what only begins like one is left, and it takes a moment only."""
        if len(text) < self.shortest:
            return text
        for start, end, shown in reversed(self.places(text)):
            text = text[:start] + shown + text[end:]
        return text

    def masked_json(self, value: Any) -> Any:
        """A JSON value without keys in its texts, or in the names of its fields."""
        if isinstance(value, str):
            return self.masked(value)
        if isinstance(value, Mapping):
            return {self.masked(str(name)): self.masked_json(item) for name, item in value.items()}
        return [self.masked_json(item) for item in value] if isinstance(value, list) else value

    def places(self, text: str) -> list[tuple[int, int, str]]:
        """Where keys stand in `text`, from and to, and what may be shown of each."""
        for form in self._forms:
            if form in text:
                return [(found.start(), found.end(), self._shown[found[0]]) for found in self._any.finditer(text)]
        return []

    def split(self, text: str) -> tuple[str, str]:
        """What of `text` is certain, keys masked, and the rest, which may be the beginning of a key."""
        open_from = self._open(text, 0)
        if len(text) < self.shortest:
            return text[:open_from], text[open_from:]
        sure, at = [], 0
        for start, end, shown in self.places(text):
            if start >= open_from:
                break
            sure += [text[at:start], shown]
            at = end
            if end > open_from:
                open_from = self._open(text, end)
        return "".join([*sure, text[at:open_from]]), text[open_from:]

    def _open(self, text: str, start: int) -> int:
        """Where the longest end of `text` begins that a form may go on from; the length of `text` where none does."""
        for found in self._firsts.finditer(text, max(start, len(text) - self._longest + 1)):
            end = text[found.start() :]
            if any(form.startswith(end) for form in self._by_first[found[0]] if len(form) > len(end)):
                return found.start()
        return len(text)

    @cached_property
    def _any(self) -> re.Pattern[str]:
        return re.compile("|".join(map(re.escape, self._forms)))

    @cached_property
    def _by_first(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for form in self._forms:
            found.setdefault(form[0], []).append(form)
        return found

    @cached_property
    def _firsts(self) -> re.Pattern[str]:
        return re.compile(f"[{re.escape(''.join(self._by_first))}]")


class KnownKeys:
    """The keys of all services that are connected or being asked. Threads may add and forget at any time."""

    def __init__(self) -> None:
        self._uses: dict[str, int] = {}
        # Two script threads that connect services count at once; readers take `forms`, which is replaced as a whole.
        self._lock = threading.Lock()
        self.forms = Forms(())

    def add(self, key: SecretStr) -> None:
        """Know `key` until it is forgotten as often as it was added."""
        self._count(key, 1)

    def forget(self, key: SecretStr) -> None:
        """Take one `add` back."""
        self._count(key, -1)

    def forms_with(self, key: str) -> Forms:
        """The forms of all known keys, and of `key`."""
        return self.forms if not key or key in self._uses else Forms({*self._uses, key})

    @contextmanager
    def using(self, key: SecretStr) -> Iterator[None]:
        """Know `key` meanwhile."""
        self.add(key)
        try:
            yield
        finally:
            self.forget(key)

    def _count(self, key: SecretStr, change: int) -> None:
        value = key.get_secret_value().strip()
        with self._lock:
            uses = self._uses.get(value, 0) + change
            # A call counts its key up and down; making the forms takes longer than all else.
            if uses > 0 and value in self._uses:
                self._uses[value] = uses
            elif uses > 0 or value in self._uses:
                known = {key: count for key, count in (self._uses | {value: uses}).items() if count > 0}
                # Replaced, not changed, as other threads may be reading; the forms first: a key that counts as known
                # is looked for.
                self.forms, self._uses = Forms(known), known


KNOWN = KnownKeys()


def mask_log() -> None:
    """From now on no record of any library holds a known key, whoever handles it, and what ends a thread is such a
    record; may be called again."""
    if threading.excepthook is threading.__excepthook__:  # which prints it as it is
        threading.excepthook = _log_end
    make = logging.getLogRecordFactory()
    if isinstance(make, _MaskingFactory):
        return
    # A filter would have to stand at every handler, and Streamlit and uvicorn bring their own.
    logging.setLogRecordFactory(_MaskingFactory(make))


def _log_end(crash: threading.ExceptHookArgs) -> None:
    if crash.exc_value is not None and crash.exc_type is not SystemExit:
        name = crash.thread.name if crash.thread else "?"
        log.error("the thread %s has ended", name, exc_info=crash.exc_value)


class _MaskingFactory:
    def __init__(self, make: Callable[..., logging.LogRecord]) -> None:
        self._make = make

    def __call__(self, *args: object, **facts: object) -> logging.LogRecord:
        record = self._make(*args, **facts)
        known = KNOWN.forms
        if known.shortest:
            _mask(record, known)
        return record


def _mask(record: logging.LogRecord, known: Forms) -> None:
    if isinstance(record.args, tuple):
        # One by one where that is enough, as uvicorn's formatter wants its arguments apart.
        record.args = tuple(known.masked(one) if isinstance(one, str) else one for one in record.args)
    try:
        message = record.getMessage()
    except (TypeError, ValueError, KeyError):
        return  # logging itself reports it
    if known.places(message):
        record.msg, record.args = known.masked(message), ()
    # The traceback is a text only when a handler writes it; from here on it is one, without the key.
    if record.exc_info and record.exc_info[0] is not None:
        trace = logging.Formatter().formatException(record.exc_info)
        if known.places(trace):
            record.exc_info, record.exc_text = None, known.masked(trace)
