"""Every error that a person may see: what happened, and what to do about it.

    TemperaError
      ApiError                  the service answered, and said no
        BadKey (NoKey)          401
        NoBalance               402, or any status with the words for it
        Forbidden               403
        ModelNotFound           404 and its spellings
          NotThere              404 for something else: a deployment, a recorded answer
          NoChats               a model for embeddings, speech, images, ...
        WrongAddress            a web page, or nothing, where the API should be
          Redirected            3xx, which is never followed
        NoModelList             it lists no models; ids can be typed
        RateLimited             429
        BadParameter            400, 422
        ContextTooLong          400, 413, 500 with the words for it
        Blocked                 content rules of the service
        UpstreamFailed          500, 502, 503, 529
        GatewayTimeout          504, 524: may have been billed
      ConnectionFailed          the request was never sent
        ConnectionRefused  NameNotFound  TlsFailed  NoConnection
        ProxyFailed  ProxyUnusable
      TimedOut                  sent, then silence: may have been billed
      BadAnswer                 an answer that is not one
        CutOff (BrokenOff)  Malformed  Empty
      SweepStopped              a sweep sends no more for now
        CapReached  NoAnswersCame
      BudgetReached             what somebody wanted to use at most
      CapOfTheOperator          what may be used at most of a shared Tempera
      NotConnected              a service that was there before
        NothingConnected        none is there
      LocalModelFailed          the model on this computer
      KeychainRefused           this computer's keychain
        KeychainKept
      StoreError                the database
        StoreFull  StoreLocked  StoreBusy  StoreRefused  StoreReadOnly  StoreGone  StoreDamaged
        StoreNotOpened  StoreReplaced  StoreMissing  StoreRestored  NotSavedYet
        NotUpgraded             one of an older version
      BeingStopped              the process ends, and begins nothing any more
      Unforeseen                a bug: the log has it under a number
      NotRestored               a file that is no backup, or not now
      NotSignedIn               a shared Tempera does not know who asks
        WrongPassword  TooManyTries  NotInvited  SignInFailed
      Full                      a shared Tempera has no place for one more
        TooManyTabs
      InvalidInput              what was typed can't be sent
        NotAllowed              the operator of a shared Tempera does not allow it
        NoPrompt  ChatNotFound
      SettingsError             the operator's settings

`message` says what happened and `hint` what to do about it: English sentences with `{facts}` to fill in, translated by
the page. `original` is the service's own text, shown folded and as plain text only.
"""

import logging
import math
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Literal

from lib.core import money
from lib.core.budget import Budget, Span
from lib.core.i18n import N_, joined

Billed = Literal["yes", "no", "unknown"]
log = logging.getLogger(__name__)


class TemperaError(Exception):
    """Base of every error the page may show; anything else is a bug."""

    kind: str = "error"
    message: str = N_("Something went wrong.")
    hint: str = N_("Try again in a moment.")
    billed: Billed = "no"
    """Whether the call may be billed; the client knows better once part of an answer has come."""

    def __init__(self, original: str = "", **facts: Any) -> None:
        self.original = original
        self.facts = facts
        super().__init__()

    def __str__(self) -> str:
        return self.sentence()

    def sentence(
        self, translate: Callable[[str], str] = N_, escape: Callable[[str], str] = str, hint: bool = True
    ) -> str:
        """What happened and, with `hint`, what to do, in the reader's language; `escape` makes the texts in it fit for
        the place."""
        facts = _Facts({name: _fit(fact, translate, escape) for name, fact in self.facts.items()})
        told = (self.message, self.hint)[: 1 + hint]
        return joined((translate(text).format_map(facts) for text in told), translate)

    def record(self) -> dict[str, Any]:
        """What is needed to say it again later, as JSON values: see `recorded`."""
        facts = {name: value for name, value in self.facts.items() if isinstance(value, (str, int, float))}
        return {"what": self.message, "do": self.hint, "facts": facts}


def recorded(record: Mapping[str, Any], original: str = "", kind: str = TemperaError.kind) -> TemperaError:
    """An error as it was recorded, to be shown once more."""
    error = TemperaError(original, **record.get("facts", {}))
    error.kind = kind
    error.message, error.hint = record.get("what", TemperaError.message), record.get("do", TemperaError.hint)
    return error


def _fit(fact: Any, translate: Callable[[str], str], escape: Callable[[str], str]) -> Any:
    """A fact as its sentence has it; amounts of money are escaped too, as two dollar signs can begin a formula."""
    if isinstance(fact, money.Dollars):
        return escape(translate("{amount}").format(amount=fact))
    return escape(fact) if isinstance(fact, str) else fact


# `record` keeps no None, so a recorded sentence may lack a fact; a question mark is better than no sentence.
class _Facts(dict[str, Any]):
    def __missing__(self, name: str) -> str:
        return "?"


class ApiError(TemperaError):
    """The service answered with an error. `status` is the HTTP status, `request_id` the service's name for the call,
    `retry_after` the seconds it asks to wait; `may_retry` whether it says that trying again is of use, None where it
    does not say."""

    kind = "api"
    message = N_("{service} could not answer (status {status}).")
    hint = N_("Try again; if it stays, ask the service with the text below.")

    def __init__(
        self,
        original: str = "",
        *,
        status: int | None = None,
        code: str = "",
        request_id: str = "",
        retry_after: float | None = None,
        may_retry: bool | None = None,
        **facts: Any,
    ) -> None:
        self.status = status
        self.code = code
        self.request_id = request_id
        self.retry_after = retry_after
        self.may_retry = may_retry
        facts.setdefault("service", "The service")
        if type(self) is ApiError and status == 200:
            # “Status 200” would say that all is well.
            self.message = N_("{service} sent an error instead of an answer.")
            self.billed = "unknown"
        super().__init__(original, status=status, **facts)


class BadKey(ApiError):
    """The key is wrong, or belongs to another address."""

    kind = "bad_key"
    message = N_("{service} does not accept this key.")
    hint = N_("Check that the key is copied whole and belongs to this service.")


class NoKey(BadKey):
    """No key was sent, and one is wanted."""

    kind = "no_key"
    message = N_("{service} asks for a key, and none was sent.")
    hint = N_("Put the key in under “Connect a service” at the top right.")


class NoBalance(ApiError):
    """The account can't pay for the call as asked; gateways compare an estimate with the balance."""

    kind = "no_balance"
    message = N_("The account at {service} has not enough money for this request.")
    hint = N_(
        "Top up the account, or lower “longest answer” (max_tokens): "
        "some services reserve the cost of the longest possible answer."
    )


class Forbidden(ApiError):
    """The key may not use this model, or not from here, or not at all."""

    kind = "forbidden"
    message = N_("{service} does not allow this request with this key.")
    hint = N_("Choose another model, or see in the service's console what this key may do.")


class ModelNotFound(ApiError):
    """No such model at this service."""

    kind = "model_not_found"
    message = N_("{service} does not know the model “{model}”.")
    hint = N_("Choose a model from the list, or check the spelling.")


class NotThere(ModelNotFound):
    """The address is right, as an API answered; it lacks what was asked for."""

    message = N_("{service} does not have what this request asks for (status {status}).")
    hint = N_("Often it is the model: check “{model}”. The service's own words are below.")


class NoChats(ModelNotFound):
    """There is such a model, but not for chats."""

    kind = "no_chats"
    message = N_("The model “{model}” makes no chats.")
    hint = N_("It is for something else, such as embeddings, speech or images: choose another one.")


class WrongAddress(ApiError):
    """Something answered, but not a chat API. `suggestion` is the address that would be right."""

    kind = "wrong_address"
    message = N_("There is no chat service at this address.")
    hint = N_("Check the address; often it has to end in /v1. Try {suggestion}")

    def __init__(self, original: str = "", *, suggestion: str = "", **facts: Any) -> None:
        self.suggestion = suggestion
        if not suggestion:
            self.hint = N_("Check the address in the service's documentation.")
        super().__init__(original, suggestion=suggestion, **facts)


class Redirected(WrongAddress):
    """The address sends requests on to `suggestion`; nothing is sent there, as it would get the prompt and the key."""

    message = N_("This address sends requests on to another one; nothing was sent there.")
    hint = N_("If you know the other address, connect it instead: {suggestion}")


class NoModelList(ApiError):
    """The service answers, but lists no models."""

    kind = "no_model_list"
    message = N_("{service} does not tell which models it has.")
    hint = N_("Type the name of the model yourself.")


class RateLimited(ApiError):
    """Too many requests; a wait of more than two minutes is for the person."""

    kind = "rate_limited"
    message = N_("{service} gets more requests from this key than it allows.")
    hint = N_("Wait a little and try again.")

    def __init__(self, original: str = "", *, retry_after: float | None = None, **facts: Any) -> None:
        # Up to two minutes are waited for without asking (lib/gateway/retry.py); nobody waits for more than a day.
        if retry_after is not None and 1 < retry_after <= 60:
            self.hint = N_("It asks to wait {seconds:.0f} seconds; try again then.")
            facts["seconds"] = max(2, math.ceil(retry_after))
        if retry_after is not None and 60 < retry_after <= 86_400:
            self.hint = N_("It asks to wait {minutes:.0f} minutes; try again then.")
            # The sentence is written in the plural. Rounded up: who comes back too early is sent away again.
            facts["minutes"] = max(2, math.ceil(retry_after / 60))
        super().__init__(original, retry_after=retry_after, **facts)


_CONVERSATION = ("messages", "input", "contents")
"""How services name the conversation, Gemini's `contents` included; no setting switches it off."""


class BadParameter(ApiError):
    """A field of the request was refused; `param` names it where it is known."""

    kind = "bad_parameter"
    message = N_("{service} refused a setting of this request ({param}).")
    hint = N_("Switch that setting off under Settings and try again.")

    def __init__(self, original: str = "", *, param: str = "", **facts: Any) -> None:
        self.param = param
        if not param:
            self.message = N_("{service} refused this request (status {status}).")
            self.hint = N_("Change the settings or the text and try again; the service's own words are below.")
        if param.startswith(_CONVERSATION):
            self.message = N_("{service} does not take this conversation as it is.")
            self.hint = N_("Change or delete a message, or start a new chat; the service's own words are below.")
        if param == "model":
            self.message = N_("{service} refused the model “{model}”.")
            self.hint = N_("Choose another one; the service's own words are below.")
        super().__init__(original, param=param, **facts)


class ContextTooLong(ApiError):
    """Prompt and answer do not fit into the model's context."""

    kind = "context_too_long"
    message = N_("The conversation is too long for this model.")
    hint = N_("Shorten the text, start a new chat, or choose a model with a longer context.")


class Blocked(ApiError):
    """The service's content rules stopped the request."""

    kind = "blocked"
    message = N_("{service} declined this text because of its content rules.")
    hint = N_("Say it in other words.")


class UpstreamFailed(ApiError):
    """The service or the one behind it failed."""

    kind = "upstream"
    message = N_("{service} has a problem of its own (status {status}).")
    hint = N_("Try again in a minute, or choose another model.")


class GatewayTimeout(ApiError):
    """A gateway gave up waiting for the model; the call may be billed all the same."""

    kind = "gateway_timeout"
    message = N_("{service} waited too long for the model and gave up.")
    hint = N_("It may be billed. Ask for a shorter answer, or try again later.")
    billed: Billed = "unknown"

    def __init__(self, original: str = "", *, status: int | None = None, **facts: Any) -> None:
        if status == 524:
            # Cloudflare's: it waits for the first word no longer than that.
            self.hint = N_(
                "It may be billed. A proxy before the service waits about 100 seconds for the first word: "
                "with “stream” on it comes sooner. Or ask for a shorter answer."
            )
        super().__init__(original, status=status, **facts)


class ConnectionFailed(TemperaError):
    """No connection, so nothing was sent."""

    kind = "connection"
    message = N_("{service} can't be reached.")
    hint = N_("Check the network and the address; nothing was sent.")


class ConnectionRefused(ConnectionFailed):
    """Nothing listens at that address."""

    kind = "refused"
    message = N_("Nothing answers at {address}.")
    hint = N_("Is the service running, and is the address right? Nothing was sent.")


class NameNotFound(ConnectionFailed):
    """The host's name can't be looked up."""

    kind = "name_not_found"
    message = N_("The name {address} can't be found.")
    hint = N_("Check the spelling and the network; nothing was sent.")


class TlsFailed(ConnectionFailed):
    """No trusted encrypted connection."""

    kind = "tls"
    message = N_("No secure connection to {address} could be made.")
    hint = N_("Check the address (http or https?) and this computer's date; nothing was sent.")


class NoConnection(ConnectionFailed):
    """The clock for connecting ran out."""

    kind = "no_connection"
    message = N_("No connection to {address} within {seconds:g} seconds.")


class ProxyFailed(ConnectionFailed):
    """No connection through the proxy that the environment or the system asks for; `proxy` is its host and port."""

    kind = "proxy"
    message = N_("{service} can't be reached through the proxy {proxy}.")
    hint = N_("Check the proxy and the address, or name the service in NO_PROXY; nothing was sent.")


class ProxyUnusable(ConnectionFailed):
    """The environment variable `setting` names no proxy that can be used. Its value may hold a password."""

    kind = "proxy_unusable"
    message = N_("The proxy in the setting {setting} can't be used.")
    hint = N_(
        "It has to look like http://proxy.example.com:8080 or socks5://127.0.0.1:1080. Correct it or take it out, and "
        "start Tempera again; nothing was sent."
    )


class TimedOut(TemperaError):
    """One of the clocks ran out: `clock` is first_token, silence, or pings where only signs of life still came;
    `seconds` its length."""

    kind = "timed_out"
    message = N_("{service} did not begin to answer within {seconds:g} seconds.")
    hint = N_("The request may be billed. Try again, or choose another model.")
    billed: Billed = "unknown"

    def __init__(self, original: str = "", *, clock: str = "first_token", seconds: float = 0, **facts: Any) -> None:
        if clock == "silence":
            self.message = N_("{service} fell silent in the middle of the answer, for {seconds:g} seconds.")
        if clock == "pings":
            self.message = N_("{service} sent only signs of life for {seconds:g} seconds, and no more of the answer.")
        super().__init__(original, clock=clock, seconds=seconds, **facts)


class BadAnswer(TemperaError):
    """The service sent something that is not an answer."""

    kind = "bad_answer"
    message = N_("{service} sent something that can't be read as an answer.")
    hint = N_("It may be billed. Try again, or choose another model.")
    billed: Billed = "unknown"


class CutOff(BadAnswer):
    """The connection ended before the answer did."""

    kind = "cut_off"
    message = N_("The connection to {service} broke in the middle of the answer.")
    hint = N_("What had arrived is kept; it may be billed. Try again for a whole one.")

    def before_anything(self) -> "CutOff":
        """The error as it is when nothing of the answer had come."""
        self.message = N_("The connection to {service} ended before an answer had come.")
        self.hint = TimedOut.hint
        return self


class BrokenOff(CutOff):
    """The service itself ended the answer before it was whole."""

    message = N_("{service} broke off in the middle of the answer.")

    def before_anything(self) -> "CutOff":
        """The error as it is when nothing of the answer had come."""
        super().before_anything()
        self.message = N_("{service} gave up before an answer had come.")
        return self


class Malformed(BadAnswer):
    """Bytes that are neither an event stream nor JSON; `packing`: how they are packed, which nobody asked for."""

    kind = "malformed"

    def __init__(self, original: str = "", *, packing: str = "", **facts: Any) -> None:
        if packing:
            self.message = N_("{service} sent its answer packed ({packing}), though it was asked not to.")
            self.hint = N_("It may be billed. A proxy on the way may do that; choose another service or address.")
        super().__init__(original, packing=packing, **facts)


class Empty(BadAnswer):
    """A whole answer with nothing in it; `too_short`: no more of one was allowed."""

    kind = "empty"
    message = N_("{service} sent an empty answer.")
    hint = N_("Try again; with a reasoning model, allow a longer answer.")
    billed: Billed = "yes"

    def __init__(self, original: str = "", *, too_short: bool = False, **facts: Any) -> None:
        if too_short:
            self.message = N_("{service} reached the longest answer allowed (max_tokens) before the first word.")
            self.hint = N_("Allow a longer one: models that think need room for it.")
        super().__init__(original, **facts)


class SweepStopped(TemperaError):
    """A sweep has sent what it could; the rest can be sent later."""

    kind = "sweep_stopped"


class CapReached(SweepStopped):
    """The next answer could cost more than is left; `cap` and `spent` in US dollars."""

    kind = "cap_reached"
    message = N_("The sweep stopped at its limit: {spent} of {cap} is spent; another answer could cost more.")
    hint = N_("What has come is kept. Raise the limit, then finish the rest.")

    def __init__(self, cap: float, spent: float) -> None:
        super().__init__(cap=money.Dollars(cap), spent=money.Dollars(spent))


class BudgetReached(TemperaError):
    """What is asked for may take `worst` of a budget's unit, and that is more than is left after `spent`, which those
    calls that run may still use being part of it."""

    kind = "budget_reached"
    hint = N_("Go on once, raise the budget, or leave it.")
    SPENT: ClassVar[Mapping[Span, str]] = {
        "session": N_("The budget of {limit} for this session is spent."),
        "day": N_("Today's budget of {limit} is spent."),
        "month": N_("This month's budget of {limit} is spent."),
    }
    TOO_LITTLE: ClassVar[Mapping[Span, str]] = {
        "session": N_("The budget of {limit} for this session has {left} left, and this may take up to {worst}."),
        "day": N_("Today's budget of {limit} has {left} left, and this may take up to {worst}."),
        "month": N_("This month's budget of {limit} has {left} left, and this may take up to {worst}."),
    }

    def __init__(self, budget: Budget, spent: float, worst: float) -> None:
        self.budget, self.spent, self.worst = budget, spent, worst
        left = max(0.0, budget.limit - spent)
        self.message = (self.TOO_LITTLE if left else self.SPENT)[budget.span]
        amounts = {"limit": budget.limit, "left": left, "worst": worst}
        super().__init__(**{name: money.in_unit(*budget.as_counted(one)) for name, one in amounts.items()})


class CapOfTheOperator(TemperaError):
    """More than may still be used of a shared Tempera, by a visitor or by all, in this hour or day. `left` and `worst`,
    what it may take, are of `unit`; `seconds` until it begins anew."""

    kind = "operators_cap"
    hint = N_("It begins anew in {minutes:.0f} minutes.")
    MESSAGES: ClassVar[Mapping[tuple[str, str], str]] = {
        ("visitor", "hour"): N_("Each person may use {limit} an hour here. Left: {left}; this may take {worst}."),
        ("visitor", "day"): N_("Each person may use {limit} a day here. Left: {left}; this may take {worst}."),
        ("all", "hour"): N_("All together may use {limit} an hour here. Left: {left}; this may take {worst}."),
        ("all", "day"): N_("All together may use {limit} a day here. Left: {left}; this may take {worst}."),
    }

    def __init__(
        self, whose: str, stretch: str, unit: str, *, limit: float, left: float, worst: float, seconds: float
    ) -> None:
        self.message = self.MESSAGES[whose, stretch]
        amounts = {"limit": limit, "left": left, "worst": worst}
        if seconds > 2 * 3600:
            self.hint = N_("It begins anew in {hours:.0f} hours.")
        written = {name: money.in_unit(amount, unit) for name, amount in amounts.items()}
        super().__init__(**written, minutes=max(2, seconds / 60), hours=seconds / 3600)


class NoAnswersCame(SweepStopped):
    """Services refused requests for their limits, for `minutes` after the last answer."""

    kind = "no_answers_came"
    message = N_("No answer came for {minutes} minutes, as the services took no more requests; the rest was not sent.")
    hint = N_("What has come is kept. Finish the rest later.")


class NotConnected(TemperaError):
    """The service that a sweep was planned for is not there any more."""

    kind = "not_connected"
    message = N_("{service} is not connected any more.")
    hint = N_("Connect it again, then finish the rest.")


class NothingConnected(NotConnected):
    """There is no service to ask yet."""

    message = N_("No service is connected yet.")
    hint = N_("Connect one here, and what you asked for goes on.")


class LocalModelFailed(TemperaError):
    """The model on this computer does not run."""

    kind = "local_model"
    message = N_("The practice model on this computer has stopped.")
    hint = N_("Restart Tempera, or connect a service.")


class KeychainRefused(TemperaError):
    """The keychain is locked, or does not take or give what was asked for."""

    kind = "keychain"
    message = N_("This computer's keychain refused.")
    hint = N_("The key is used until Tempera ends. Unlock the keychain and connect once more to have it remembered.")


class KeychainKept(KeychainRefused):
    """A key that is to be forgotten can't be taken out."""

    hint = N_("The key is not used any more, but may still be there: take the entry “Tempera” out of the keychain.")


class StoreError(TemperaError):
    """The database can't be read or written."""

    kind = "store"
    message = N_("Nothing can be saved: the data folder can't be written.")
    hint = N_(
        "Free some space or set TEMPERA_DATA_DIR to another folder, then restart. "
        "Until then chats are kept in memory only."
    )


class StoreFull(StoreError):
    """No room on the disk, or the file may not grow."""

    kind = "store_full"
    message = N_("The disk is full, or the database may not grow: nothing new can be saved.")
    hint = N_(
        "What was saved before is safe. Free some space: answers wait in memory and are then saved by themselves."
    )


class StoreLocked(StoreError):
    """Another program holds the database."""

    kind = "store_locked"
    message = N_("Another program keeps the database locked: nothing can be saved at the moment.")
    hint = N_("Close what else uses the data folder (a backup, a database viewer); what waits is saved by itself then.")


class StoreBusy(StoreError):
    """The database took too long, or had no room for one more connection."""

    kind = "store_busy"
    message = N_("The database has too much to do: it did not answer in time.")
    hint = N_(
        "Try again in a moment; what waits is saved by itself. If it stays, look what keeps the database's server busy."
    )


class StoreRefused(StoreError):
    """The database server said no to a statement, for a reason that is not about its own state."""

    kind = "store_refused"
    message = N_("The database refused this, and nothing of it was saved.")
    hint = N_("Try again; if it stays, show the words below to whoever runs the database.")


class StoreReadOnly(StoreError):
    """The file or its folder can't be written, or the account may not write."""

    kind = "store_read_only"
    message = N_("The database can only be read: nothing new can be saved.")
    hint = N_(
        "Give Tempera the right to write in its data folder, or its account in the database that right; what waits is "
        "saved by itself then."
    )


class StoreGone(StoreError):
    """The database file, or the database server, is not there any more."""

    kind = "store_gone"
    message = N_("The database can't be reached: nothing can be read or saved at the moment.")
    hint = N_("Bring its file, disk or server back: answers wait in memory and are then saved by themselves.")


class StoreDamaged(StoreError):
    """The database file is not whole."""

    kind = "store_damaged"
    message = N_("The database file is damaged: some of what was saved may be unreadable.")
    hint = N_("Close other Temperas and start this one again: the file is kept, and what can be read is saved anew.")


class StoreNotOpened(StoreError):
    """The database could not be opened at the start; `why` is the sentence of the reason."""

    kind = "store_not_opened"
    hint = N_(
        "What was saved before is not touched, but can't be shown now. Mend that and start Tempera again; "
        "until then chats are kept in memory only, and end with it."
    )

    def __init__(self, why: StoreError) -> None:
        self.message = why.message
        super().__init__(why.original, **why.facts)


class StoreReplaced(StoreError):
    """A damaged file was set aside, and a new one begun with what could be read; `owner_chats` are the titles of the
    chats that came back, by owner."""

    kind = "store_replaced"
    message = N_("The database was damaged. It is kept as {kept}, and a new one was begun with what could be read.")
    hint = N_("Look through your chats: what is missing may still be in the file that was kept.")

    def __init__(self, owner_chats: Mapping[str, Sequence[str]], **facts: Any) -> None:
        self.owner_chats = owner_chats
        super().__init__(**facts)


class StoreMissing(StoreError):
    """The file was there at an earlier start, and is not now."""

    kind = "store_missing"
    message = N_("The database file {name} was not there any more, and a new, empty one was begun.")
    hint = N_("If you have moved it, or have a copy, close Tempera and put that in its place.")


class StoreRestored(StoreError):
    """The file was deleted while it was open, and written anew."""

    kind = "store_restored"
    message = N_("The database file was deleted while Tempera ran. It was written anew, with everything in it.")
    hint = N_("See what deleted it (a clean-up program, perhaps), and make a copy of the file.")


class NotSavedYet(StoreError):
    """An answer whose outcome the store has refused so far; it is held and tried again."""

    kind = "not_saved_yet"
    message = N_("This answer is not saved yet: the database does not take it.")
    hint = N_("It is tried again until it is saved, without asking the model again; keep Tempera running until then.")
    billed: Billed = "yes"


class BeingStopped(TemperaError):
    """The process is about to end: what runs comes to its end, and nothing else begins."""

    kind = "being_stopped"
    message = N_("Tempera is just being stopped.")
    hint = N_("Try again in a minute; what you typed is still there.")


class Unforeseen(TemperaError):
    """A bug; `number` is the name under which the log has it."""

    kind = "bug"
    message = N_("Something unforeseen happened (number {number}).")
    hint = N_("Try again; if it comes back, report it: the log says more under this number.")
    billed: Billed = "unknown"


def unforeseen(bug: BaseException, where: str) -> Unforeseen:
    """Log a bug under a new number; the error that shows the number, and nothing of the bug."""
    # The page shows the number alone: the words of a bug may hold paths, keys or texts.
    number = secrets.token_hex(4)
    log.error("bug %s in %s", number, where, exc_info=bug)
    return Unforeseen(number=number)


class NotUpgraded(StoreError):
    """An older database can't be brought to the form of this version now: `message` says why, `hint` what to do."""

    kind = "not_upgraded"

    def __init__(self, message: str, hint: str, **facts: Any) -> None:
        self.message, self.hint = message, hint
        super().__init__(**facts)


class NotRestored(TemperaError):
    """A file can't be restored: `message` says why."""

    kind = "not_restored"
    hint = N_("Nothing was changed.")

    def __init__(self, message: str, **facts: Any) -> None:
        self.message = message
        super().__init__(**facts)


class NotSignedIn(TemperaError):
    """Nobody is signed in, or not any more."""

    kind = "not_signed_in"
    message = N_("You are not signed in any more.")
    hint = N_("Load the page anew to sign in.")


class WrongPassword(NotSignedIn):
    """What was typed is not the password."""

    kind = "wrong_password"
    message = N_("That is not the password.")
    hint = N_("Type it once more: capitals count.")


class TooManyTries(NotSignedIn):
    """The password was tried too often; `seconds` until it may be tried again."""

    kind = "too_many_tries"
    message = N_("There were too many tries.")
    hint = N_("Try again in {minutes:.0f} minutes.")

    def __init__(self, original: str = "", *, seconds: float, **facts: Any) -> None:
        self.seconds = seconds
        if seconds <= 60:
            self.hint = N_("Try again in a minute.")
        super().__init__(original, minutes=max(2, seconds / 60), **facts)


class NotInvited(NotSignedIn):
    """The account is a good one, but may not come in; `mail` is its address."""

    kind = "not_invited"
    message = N_("{mail} may not sign in here.")
    hint = N_("Sign in with another account, or ask whoever runs this Tempera.")


class SignInFailed(NotSignedIn):
    """Nobody came back from where an account was to be signed in with."""

    kind = "sign_in_failed"
    message = N_("You are not signed in: the sign-in did not come to its end.")
    hint = N_("Try again.")


class Full(TemperaError):
    """As many people are inside as the operator of a shared Tempera lets in at once."""

    kind = "full"
    message = N_("As many people as this Tempera can serve are using it just now.")
    hint = N_("This page tries again by itself in a minute.")


class TooManyTabs(Full):
    """One person has `most` tabs open."""

    kind = "too_many_tabs"
    message = N_("You have Tempera open in {most} tabs, and it can't serve you in more.")
    hint = N_("Close some of them; this page tries again by itself in a minute.")


class InvalidInput(TemperaError):
    """Something typed can't be sent as it is: `message` says which and why, `facts` fill it in."""

    kind = "invalid_input"
    hint = N_("Change it and try again; what you typed is still there.")

    def __init__(self, message: str, **facts: Any) -> None:
        self.message = message
        super().__init__(**facts)


class NoPrompt(InvalidInput):
    """Nothing was typed that could be sent."""

    kind = "no_prompt"
    hint = N_("Write a prompt first.")


class NotAllowed(InvalidInput):
    """More than the operator of a shared Tempera allows: `message` says what."""

    kind = "not_allowed"
    hint = N_("Whoever runs this Tempera has set that. Change it and try again; what you typed is still there.")


class ChatNotFound(InvalidInput):
    """Whoever asks has no chat, or no message in it, of that id."""

    kind = "not_found"
    hint = N_("It may have been deleted. Choose another chat.")

    def __init__(self) -> None:
        super().__init__(N_("This chat does not exist."))


class SettingsError(TemperaError):
    """The operator's settings don't work: `message` says which, `hint` how to mend it."""

    kind = "settings"

    def __init__(self, message: str, hint: str, original: str = "", **facts: Any) -> None:
        self.message, self.hint = message, hint
        super().__init__(original, **facts)
