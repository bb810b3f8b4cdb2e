"""The JSON texts in a file that was brought in, as UTF-8: read from an archive, from UTF-16, with or without a BOM."""

import codecs
import re
import zipfile
import zlib
from collections.abc import Iterator
from io import BytesIO

from lib.core.errors import InvalidInput
from lib.core.i18n import N_
from lib.core.json_stream import CHUNK, Source

MAX_BYTES = 100_000_000
"""Of a file, and of what it unpacks to."""
MOST_MEMBERS = 50
_ZIP = b"PK\x03\x04"
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CHATS = re.compile(r"(?:.*/)?conversations[^/]*\.json", re.IGNORECASE)
_JSON = re.compile(r"(?!__MACOSX/)(?:.*/)?[^/.][^/]*\.json", re.IGNORECASE)
# Beside damage: encrypted members are a RuntimeError, unknown methods a NotImplementedError.
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError, ValueError)


def texts(file: bytes) -> Iterator[Source]:
    """The texts one after the other, each to be read before the next; raises InvalidInput, also while they are read."""
    if len(file) > MAX_BYTES:
        raise _too_large()
    if not file.startswith(_ZIP):
        yield _Utf8(BytesIO(file))
        return
    try:
        with zipfile.ZipFile(BytesIO(file)) as archive:
            bytes_left = [MAX_BYTES]
            for name in _members(archive):
                with archive.open(name) as member:
                    yield _Utf8(_Member(member, bytes_left))
    except _BROKEN:
        raise InvalidInput(N_("This archive can't be unpacked. Unpack it yourself and choose the JSON file.")) from None


def _members(archive: zipfile.ZipFile) -> list[str]:
    """The names of the files with chats in them; of an archive without such a name all JSON files."""
    names = sorted(archive.namelist())
    found = [name for name in names if _CHATS.fullmatch(name)] or [name for name in names if _JSON.fullmatch(name)]
    if not found:
        raise InvalidInput(N_("There is no JSON file in this archive."))
    return found[:MOST_MEMBERS]


class _Member:
    """A file in an archive; all of them share the `bytes_left`, whatever sizes the archive claims."""

    def __init__(self, member: Source, bytes_left: list[int]) -> None:
        self._member, self._bytes_left = member, bytes_left

    def read(self, size: int) -> bytes:
        try:
            chunk = self._member.read(size)
        except _BROKEN:
            raise InvalidInput(
                N_("This archive can't be unpacked. Unpack it yourself and choose the JSON file.")
            ) from None
        self._bytes_left[0] -= len(chunk)
        if self._bytes_left[0] < 0:
            raise _too_large()
        return chunk


class _Utf8:
    """A text of any Unicode encoding as UTF-8; what is no text in it becomes U+FFFD where it was UTF-16."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._start = source.read(CHUNK)
        self._decoder: codecs.IncrementalDecoder | None = None
        encoding, bom = _encoding(self._start)
        if encoding != "utf-8":
            self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        self._start = self._start[len(bom) :]

    def read(self, size: int) -> bytes:
        chunk, self._start = self._start or self._source.read(size), b""
        if self._decoder is None:
            return chunk
        while chunk:
            text = self._decoder.decode(chunk)
            if text:  # an empty one would be taken for the end
                return text.encode("utf-8", "replace")
            chunk = self._source.read(size)
        return b""


def _encoding(start: bytes) -> tuple[str, bytes]:
    """(encoding, BOM) of a text that begins so. JSON begins with an ASCII sign, so the zeros tell where there is no
    BOM."""
    for bom, encoding in _BOMS:
        if start.startswith(bom):
            return encoding, bom
    if start[1:2] == b"\0":
        return "utf-16-le", b""
    return ("utf-16-be", b"") if start[:1] == b"\0" else ("utf-8", b"")


def _too_large() -> InvalidInput:
    return InvalidInput(N_("The file is larger than {most} MB."), most=MAX_BYTES // 1_000_000)
