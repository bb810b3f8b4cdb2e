"""Why a call failed: in a few words for a list, and as the error that was seen when it failed."""

from lib.calls.records import CallRecord
from lib.core.errors import TemperaError, recorded
from lib.core.i18n import N_
from lib.ui.shared.texts import _

REASONS = {
    "api": N_("the service sent an error"),
    "bad_key": N_("key not accepted"),
    "no_key": N_("no key was sent"),
    "no_balance": N_("not enough money at the service"),
    "forbidden": N_("not allowed with this key"),
    "model_not_found": N_("not found at the service"),
    "no_chats": N_("not a model for chats"),
    "wrong_address": N_("no chat service at this address"),
    "no_model_list": N_("no list of models"),
    "rate_limited": N_("rate limited"),
    "bad_parameter": N_("request refused"),
    "context_too_long": N_("too long for the model"),
    "blocked": N_("declined because of content rules"),
    "upstream": N_("a problem at the service"),
    "gateway_timeout": N_("the service waited too long"),
    "connection": N_("service not reached"),
    "refused": N_("nothing answers at the address"),
    "name_not_found": N_("address not found"),
    "tls": N_("no secure connection"),
    "no_connection": N_("no connection in time"),
    "proxy": N_("not reached through the proxy"),
    "proxy_unusable": N_("proxy can't be used"),
    "timed_out": N_("no answer in time"),
    "bad_answer": N_("answer not readable"),
    "malformed": N_("answer not readable"),
    "cut_off": N_("connection broke"),
    "empty": N_("empty answer"),
    "budget_reached": N_("budget reached"),
    "operators_cap": N_("the operator's limit reached"),
    "not_connected": N_("service not connected"),
    "keychain": N_("the keychain refused"),
    "local_model": N_("practice model stopped"),
    "being_stopped": N_("Tempera was being stopped"),
    "bug": N_("something unforeseen"),
    "error": N_("something unforeseen"),
}
"""The kinds of errors (lib/core/errors.py) that a call may end with."""
FAILED = N_("This call failed: {reason}.")
BROKE_OFF = N_("This answer broke off: {reason}.")
NO_MORE = N_("Nothing more is recorded of it.")
WORDS_BELOW = N_("The words that came with it are below.")


def reason(kind: str) -> str:
    """A kind of error in a few words; one that only a file names, as it stands there."""
    return _(REASONS[kind]) if kind in REASONS else kind.replace("_", " ")


def failure(call: CallRecord) -> TemperaError | None:
    """What went wrong with a call, as it was recorded, else by its kind; None where nothing did."""
    if call.error_record:
        return recorded(call.error_record, call.error_text, call.error_kind)
    if not call.error_kind and call.state != "error":
        return None
    said = {
        "what": FAILED if call.state == "error" else BROKE_OFF,
        "do": WORDS_BELOW if call.error_text else NO_MORE,
        "facts": {"reason": reason(call.error_kind) or _("the reason is not known")},
    }
    return recorded(said, call.error_text, call.error_kind)
