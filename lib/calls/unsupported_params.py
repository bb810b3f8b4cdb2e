"""Remembers, per address, the parameters that a model has rejected, and leaves them out of later requests.

Only a field that the service calls unknown or unsupported counts: a refused value is for the user to correct. What was
learned is forgotten after a month, as services change.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Select, bindparam, delete, insert, select

from lib.core.clock import DAY, now
from lib.core.errors import BadParameter
from lib.core.request import LIMIT_NAMES, ChatRequest
from lib.store.prepared import Prepared
from lib.store.schema import refused_params

KEPT = 30 * DAY
# Without these there is no request: a service that refuses them means something else.
NEEDED = ("model", "messages")

_NOT_TAKEN = re.compile(
    r"unsupported|(not|n't) (be )?(support|permit|allow|enabl|accept|recogni[sz]ed)|unrecognized|unknown|unexpected"
    r"|extra_forbidden|cannot find field|only the default|only 1 is|no longer|deprecated"
    r"|use\W+max_completion_tokens|不支持",
    re.IGNORECASE,
)
_HINTS = {"penalty": ("presence_penalty", "frequency_penalty"), "multiple candidates": ("n",)}
"""Words of services that refuse a field without its name."""


def adapted(db: Connection, owner: str, base_url: str, request: ChatRequest) -> ChatRequest:
    """`request` without what its model at `base_url` is known to refuse."""
    refused = known(db, owner, base_url, request.model)
    return replace(request, unsupported=request.unsupported | refused) if refused else request


def known(db: Connection, owner: str, base_url: str, model: str) -> frozenset[str]:
    """The fields that `model` at `base_url` is known to refuse."""
    facts = {"owner": owner, "base_url": base_url, "model": model, "since": now() - KEPT}
    return frozenset(param for (param,) in _KNOWN.run(db, facts).fetchall())


def _known(_dialect: str) -> Select[Any]:
    names = ("owner", "base_url", "model")
    query = select(refused_params.c.param).where(*(refused_params.c[name] == bindparam(name) for name in names))
    return query.where(refused_params.c.learned_at > bindparam("since"))


_KNOWN = Prepared(_known)


def remember(db: Connection, owner: str, base_url: str, model: str, params: Iterable[str]) -> None:
    """Keep that `model` at `base_url` takes none of `params`."""
    key = {"owner": owner, "base_url": base_url, "model": model}
    mine = [refused_params.c[name] == value for name, value in key.items()]
    for param in params:
        # Deleted first: learned once more, the month begins anew.
        db.execute(delete(refused_params).where(*mine, refused_params.c.param == param))
        db.execute(insert(refused_params).values(**key, param=param, learned_at=now()))


def forget(db: Connection, owner: str, base_url: str, model: str, params: Iterable[str]) -> None:
    """Let `model` at `base_url` be asked for `params` again."""
    mine = (refused_params.c.owner == owner, refused_params.c.base_url == base_url, refused_params.c.model == model)
    db.execute(delete(refused_params).where(*mine, refused_params.c.param.in_(list(params))))


def named_in(error: BadParameter, request: ChatRequest) -> frozenset[str]:
    """The fields of `request` that `error` says are not taken at all; empty where it says something else."""
    body = request.body()
    said = f"{error.code} {error.original}"
    # Nobody sets it: it goes along with `stream`, so a service that names it can only mean the field itself.
    if error.param == "stream_options" and error.param in body:
        return frozenset({error.param})
    if not _NOT_TAKEN.search(said):
        return frozenset()
    if error.param in LIMIT_NAMES:
        return _limit(body, said)
    names = {error.param} if error.param else _hinted(said) or _further(said, request.params.extra_fields or {})
    return frozenset(name for name in names if name in body and name not in NEEDED)


def left_out(asked: Mapping[str, Any], sent: Mapping[str, Any]) -> list[str]:
    """The parameters that were asked for and not sent, under any name."""
    # Under its other name the longest answer was sent all the same.
    limited = any(name in sent for name in LIMIT_NAMES)
    return [name for name in asked if name not in sent and not (limited and name in LIMIT_NAMES)]


def is_left_out(name: str, asked: Mapping[str, Any], sent: Mapping[str, Any]) -> bool:
    """Whether a parameter is among those."""
    return name in asked and name not in sent and name in left_out(asked, sent)


def _hinted(said: str) -> set[str]:
    return {name for words, names in _HINTS.items() if words in said.lower() for name in names}


def _further(said: str, more: Iterable[str]) -> set[str]:
    """The further fields that the text names; the shortest names may be any word and don't count."""
    words = set(re.findall(r"\w+", said))
    return {name for name in more if name in words and len(name) > 2}


def _limit(body: Mapping[str, Any], said: str) -> frozenset[str]:
    """The refused names of the longest answer: the one that was sent; both where it is the API's and the service
    offers no other."""
    sent = next((name for name in LIMIT_NAMES if name in body), None)
    if sent is None:
        return frozenset()
    return frozenset(LIMIT_NAMES if sent == LIMIT_NAMES[0] and LIMIT_NAMES[1] not in said else (sent,))
