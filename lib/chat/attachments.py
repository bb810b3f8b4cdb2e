"""Texts that go along with a message: files, and what was pasted.

They are part of the message's own text, so that what is stored, searched, counted and exported is what was sent:

    What does it say?

    <attachment name="report.txt">
    ... the file, to the letter ...
    </attachment>

Where the words or a text hold such a tag themselves, it is `<attachment-2>`, and so on.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from lib.core.errors import InvalidInput
from lib.core.i18n import N_
from lib.core.request import MAX_PROMPT_CHARACTERS

LONG = 4_000
"""Characters. What is longer is pasted as an attachment, and shown folded."""
MOST = 20
"""With one message."""
MOST_BYTES = 5_000_000
LONGEST_NAME = 120
_BOMS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_OPEN = re.compile(r"(?:\A|\n\n)<(attachment(?:-[0-9]{1,6})?) name=\"([^\"<>\n]*)\">\n")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A text and the name of its file."""

    name: str
    text: str


def of_file(name: str, content: bytes) -> Attachment:
    """A file as an attachment; raises InvalidInput unless it is a text that a message has room for."""
    if len(content) > MOST_BYTES:
        raise InvalidInput(N_("“{name}” is larger than {most} MB."), name=name, most=MOST_BYTES // 1_000_000)
    text = _decoded(content)
    if text is None:
        raise InvalidInput(N_("“{name}” is neither a text nor an image that can be sent."), name=name)
    if len(text) > MAX_PROMPT_CHARACTERS:
        raise InvalidInput(N_("“{name}” is longer than {most:,} characters."), name=name, most=MAX_PROMPT_CHARACTERS)
    if not text.strip():
        raise InvalidInput(N_("“{name}” is empty."), name=name)
    return Attachment(_clean(name), text)


def few_enough(attachments: Sequence[Attachment]) -> tuple[Attachment, ...]:
    """The attachments; raises InvalidInput when they are too many for one message."""
    if len(attachments) > MOST:
        raise InvalidInput(N_("At most {most} files can go with one message."), most=MOST)
    return tuple(attachments)


def joined(text: str, attachments: Sequence[Attachment]) -> str:
    """The text of a message with its attachments, as it is sent."""
    tag, number, everything = "attachment", 1, "\n".join([text, *(one.text for one in attachments)])
    while f"<{tag} " in everything or f"</{tag}>" in everything:
        number += 1
        tag = f"attachment-{number}"
    framed = [f'<{tag} name="{_clean(one.name)}">\n{one.text}\n</{tag}>' for one in attachments]
    return "\n\n".join([text, *framed] if text else framed)


def parted(text: str) -> tuple[str, tuple[Attachment, ...]]:
    """What was typed, and the attachments after it; `joined` gives `text` back."""
    # Typed words may look like the beginning of one: only a row of them up to the end counts.
    for found in _OPEN.finditer(text):
        attachments = _row(text, found.start())
        if attachments:
            return text[: found.start()], attachments
    return text, ()


def _row(text: str, start: int) -> tuple[Attachment, ...]:
    """The attachments that begin at `start` and go on to the end; none where something else stands there."""
    found = []
    while start < len(text):
        head = _OPEN.match(text, start)
        if head is None:
            return ()
        close = f"\n</{head[1]}>"
        end = text.find(close, head.end() - 1)
        if end < 0:
            return ()
        found.append(Attachment(head[2], text[head.end() : max(end, head.end())]))
        start = end + len(close)
    return tuple(found)


def _decoded(content: bytes) -> str | None:
    """The text of a file; None for what is none."""
    encoding = _BOMS.get(content[:2], "utf-8-sig")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        return None
    # No text has it, and nearly every other file does.
    return None if "\0" in text else text.replace("\r\n", "\n")


def _clean(name: str) -> str:
    """A name on one line without the signs that would end it."""
    kept = "".join(sign if sign.isprintable() and sign not in '"<>' else " " for sign in name)
    return " ".join(kept.split())[-LONGEST_NAME:] or "text"


def heading(text: str) -> str:
    """What a message is named after: the words that were typed, else the names of its attachments."""
    typed, attachments = parted(text)
    return typed if typed.strip() else ", ".join(one.name for one in attachments)
