"""Typed access to what a browser tab remembers between two script runs: ids and plain values, never a key."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import streamlit as st

from lib.access.shared_links import Kind
from lib.chat.attachments import Attachment
from lib.chat.chat_import import Listing
from lib.chat.form import Form
from lib.core.errors import BudgetReached, TemperaError

T = TypeVar("T")

SHOWN_TURNS = 8
"""Turns of a chat that are drawn when it is opened: as much as a screen holds, and some more."""
LISTED = 100
NEXT = "next"
OPEN = "open_dialog"
"""Which dialog is open: its name, and what it is about; None: none is."""


@dataclass(frozen=True, slots=True)
class UnconfirmedMessage:
    """A message that was asked about before it is sent: its conversation is too long for `window` (tokens; None: it is
    not), or `cost` is over `limit` (US dollars). `leave_out` is how many of the oldest turns have to go; None: nothing
    helps."""

    text: str
    tokens: int
    window: int | None
    leave_out: int | None
    cost: float
    limit: float | None

    @property
    def too_long(self) -> bool:
        """Whether it is the context that it does not fit."""
        return self.window is not None


@dataclass(frozen=True, slots=True)
class Shareable:
    """A chat or a sweep of the visitor's; `page` writes what a link to it will show, `shows` says what that is."""

    kind: Kind
    id: str
    title: str
    shows: Sequence[str]
    page: Callable[[], bytes]


class SessionValue(Generic[T]):
    """One thing under a name of its own in st.session_state; `make` makes what it is at first."""

    def __init__(self, name: str, make: Callable[[], T]) -> None:
        self._name = name
        self._make = make

    def __get__(self, state: object, _kind: type | None = None) -> T:
        # `setdefault`: two runs of one tab may overlap for a moment, and the first value has to win (streamlit#7087).
        value: T = st.session_state.setdefault(self._name, self._make())
        return value

    def __set__(self, state: object, value: T) -> None:
        st.session_state[self._name] = value


class Dialog(Generic[T]):
    """A dialog, read as what it is about while it is the one that is open, else as None. Setting it opens it, or closes
    it with None. All share one value: Streamlit refuses a page that draws two of them."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, state: object, _kind: type | None = None) -> T | None:
        name, about = st.session_state.get(OPEN) or ("", None)
        return about if name == self._name else None

    def __set__(self, state: object, about: T | None) -> None:
        if about is not None:
            st.session_state[OPEN] = (self._name, about)
        elif self.__get__(state) is not None:
            st.session_state[OPEN] = None


def _nothing() -> None:
    return None


class State:
    """What is remembered, by name; widget values live under their own keys."""

    chat_id: SessionValue[str | None] = SessionValue("open_chat", _nothing)
    """The open chat; None is a new one."""
    deleted_chat: SessionValue[str | None] = SessionValue("deleted_chat", _nothing)
    """The chat that was deleted last, as long as that can be undone."""
    deleted_was_open: SessionValue[bool] = SessionValue("deleted_was_open", bool)
    """Whether that one was open, so that it is opened when it is brought back."""
    chat_panel: SessionValue[tuple[str, str] | None] = SessionValue("chat_panel", _nothing)
    """What is opened below an entry of the list of chats: the chat's id, and `rename` or `save`."""
    to_open: SessionValue[str | None] = SessionValue("chat_to_open", _nothing)
    """A chat that the next run opens: where one is wanted after the page was drawn, its settings can't be set any more.
    """
    used_links: SessionValue[set[str]] = SessionValue("used_links", set)
    """The links that were used in this tab: each fills the form once."""
    settings_shown: SessionValue[tuple[str, Form] | None] = SessionValue("settings_shown", _nothing)
    """The open chat and its settings as the page last showed them."""
    settings_open: SessionValue[bool] = SessionValue("settings_open", bool)
    """Whether Chat's settings are open."""
    missing_chat: SessionValue[bool] = SessionValue("missing_chat", bool)
    """Whether the address names a chat that there is not."""
    missing_sweep: SessionValue[bool] = SessionValue("missing_sweep", bool)
    """The same of a sweep."""
    page: SessionValue[str] = SessionValue("page", str)
    """The page that is shown, by its place in the address."""
    came_from: SessionValue[str] = SessionValue("came_from", str)
    """The page that was shown by the run before; "" at a tab's first."""
    temporary: SessionValue[bool] = SessionValue("temporary_chat", bool)
    """Whether the open chat, or the one that begins next, is kept in memory only."""
    unsaved: SessionValue[bool] = SessionValue("unsaved_chat", bool)
    """Whether the open chat is in memory only because the store takes nothing at present."""
    formatted: SessionValue[set[str]] = SessionValue("formatted_messages", set)
    """The visitor's own messages that are shown as Markdown, not as they were typed."""
    asked: SessionValue[int] = SessionValue("asked_times", int)
    """How many times a model was asked in this tab: each time the page shows the question anew."""
    asked_form: SessionValue[tuple[str | None, Form] | None] = SessionValue("asked_form", _nothing)
    """The chat in which a model was asked last, and how the page was set then."""
    editing: SessionValue[str | None] = SessionValue("editing_message", _nothing)
    """The message that is being edited."""
    panel: SessionValue[tuple[str, str, str] | None] = SessionValue("opened_panel", _nothing)
    """What is opened below a turn: its name on the page, the turn's id, and one of message_menu.PANELS."""
    writing: SessionValue[bool] = SessionValue("writing_turn", bool)
    """Whether a turn is being written by hand."""
    deleted_turn: SessionValue[tuple[str, int] | None] = SessionValue("deleted_turn", _nothing)
    """The turn that was deleted last, and the mark that brings it back."""
    images: SessionValue[list[str]] = SessionValue("images_to_send", list)
    """Images, as data URLs, that go with the next message."""
    attachments: SessionValue[list[Attachment]] = SessionValue("attachments_to_send", list)
    """Texts that go with the next message."""
    unconfirmed: SessionValue[UnconfirmedMessage | None] = SessionValue("held_message", _nothing)
    """A message that is asked about before it is sent."""
    waiting: SessionValue[str | None] = SessionValue("waiting_message", _nothing)
    """A message that waits until the running answer has ended."""
    put_back: SessionValue[str | None] = SessionValue("put_back_message", _nothing)
    """What the next run puts into the composer: a message that could not be sent."""
    patient: SessionValue[set[str]] = SessionValue("patient_calls", set)
    """The calls whose first word is waited for without asking again."""
    shown_turns: SessionValue[int] = SessionValue("shown_turns", lambda: SHOWN_TURNS)
    """How many of a chat's last turns are drawn when it is opened, more with each wish for earlier ones."""
    first_shown: SessionValue[tuple[str | None, int] | None] = SessionValue("first_shown_turn", _nothing)
    """The open chat, and the index of its first turn that is drawn."""
    listed_spans: SessionValue[dict[str, int]] = SessionValue("listed_spans", dict)
    """How many chats the sidebar lists of days and months that it does not list at once."""
    listed_sweeps: SessionValue[int] = SessionValue("listed_sweeps", lambda: LISTED)
    """How many sweeps the sidebar lists."""
    sweep_id: SessionValue[str | None] = SessionValue("open_sweep", _nothing)
    """The open sweep; None is a new one."""
    usage_address_read: SessionValue[bool] = SessionValue("usage_address_read", bool)
    """Whether the usage page has taken up its filters from the address."""
    usage_opened_on: SessionValue[str | None] = SessionValue("usage_opened_on", _nothing)
    """Which calls the usage page has chosen to show by itself."""
    sweep_cell = Dialog[str]("opened_cell")
    """The cell whose details are open, by its id."""
    field_turns: SessionValue[dict[str, int]] = SessionValue("field_turns", dict)
    """How often each field of a popover was set by something else than itself."""
    usage_call = Dialog[str]("usage_call")
    """The call that is looked at on the usage page."""
    deleted_sweep: SessionValue[str | None] = SessionValue("deleted_sweep", _nothing)
    """The sweep that was deleted last, as long as that can be undone."""
    seen_running: SessionValue[str | None] = SessionValue("sweep_seen_running", _nothing)
    """The sweep that this tab saw running last; its end is said in the tab's title."""
    choices_drawn_in: SessionValue[dict[str, str]] = SessionValue("choices_drawn_in", dict)
    """The language in which each field with a choice was drawn last, by its key."""
    notices: SessionValue[list[str]] = SessionValue("notices", list)
    """Sentences to be shown once, at the top of the page."""
    upgrade_read: SessionValue[bool] = SessionValue("upgrade_read", bool)
    """Whether it was read that the database was brought to a new form."""
    read_notices: SessionValue[int] = SessionValue("read_store_notices", int)
    """How many of the store's notices were read."""
    figures = Dialog[tuple[str, str]]("answers_figures")
    """The answer whose numbers are looked at: its name on the page and its call's id."""
    inspected = Dialog[str]("inspected_call")
    """The call whose request and answer are looked at; NEXT is the one that comes."""
    choosing_model = Dialog[bool]("models_dialog")
    """Whether the list of all models is open."""
    choosing_models = Dialog[bool]("sweep_models_dialog")
    """Whether the list of models for a sweep is open."""
    connecting = Dialog[bool]("connection_dialog")
    """Whether the connection dialog is open."""
    why_connecting: SessionValue[str | None] = SessionValue("why_connecting", _nothing)
    """Why the connection dialog was opened, where it was not the visitor who did it."""
    after_connecting: SessionValue[tuple[str, Callable[[], None]] | None] = SessionValue("after_connecting", _nothing)
    """What goes on by itself once the service of this name is connected again."""
    services_named: SessionValue[int] = SessionValue("services_named", int)
    """How many times the typed address was of another service than the one chosen, in the open connection dialog."""
    forgotten: SessionValue[str | None] = SessionValue("forgotten_service", _nothing)
    """The title of the service that was forgotten in the open connection dialog."""
    changing: SessionValue[str | None] = SessionValue("changing_key", _nothing)
    """The connected service, by its name, that the connection dialog asks a new key for."""
    refused: SessionValue[tuple[TemperaError, str] | None] = SessionValue("connection_refused", _nothing)
    """Why the last try to connect came to nothing, and the address that was probably meant, or ""."""
    forgot: SessionValue[bool] = SessionValue("forgot_service", bool)
    """Whether that was just now, and the page around the dialog does not know it yet."""
    going_on: SessionValue[Callable[[], None] | None] = SessionValue("going_on", _nothing)
    """What is to go on now, in the run after the one in which the dialog was closed."""
    over_budget = Dialog[tuple[BudgetReached, Callable[[], None]]]("over_budget")
    """The budget that what was asked for would pass, while that is a question; and what goes on then."""
    after_budget: SessionValue[tuple[bool, Callable[[], None]] | None] = SessionValue("after_budget", _nothing)
    """What is to go on now, after that question; and whether it may pass the budgets."""
    usage_section: SessionValue[str | None] = SessionValue("usage_section", _nothing)
    """The section of the usage page that its next run opens."""
    to_price: SessionValue[list[tuple[str, str]]] = SessionValue("models_to_price", list)
    """The models whose prices the usage page was asked to show, by service and id."""
    recent_models: SessionValue[tuple[str, ...] | None] = SessionValue("recent_models", _nothing)
    """The models used last as they were when this tab first listed models: an order that changes by itself moves what
    somebody is looking for."""
    newest_service: SessionValue[str | None] = SessionValue("newest_service", _nothing)
    """The endpoint that was connected last in this tab: new choices begin with its models."""
    picked_model: SessionValue[str | None] = SessionValue("picked_model", _nothing)
    """The model that was picked by hand last in this tab, since a service was connected: new chats begin with it. What
    other tabs begin with is a preference."""
    connected: SessionValue[int] = SessionValue("connected_times", int)
    """How many times a service was connected in this tab."""
    choosing_prompt = Dialog[bool]("chat_templates")
    """Whether the prompts to be used again are open."""
    offered_chats = Dialog[Listing]("offered_chats")
    """The chats in a file, while some of them are chosen; None is no file."""

    sharing = Dialog[Shareable]("sharing")
    """What the dialog makes links to that is open."""
    not_shared: SessionValue[TemperaError | None] = SessionValue("not_shared", _nothing)
    """Why no link could be made, or taken back, in it."""
    fresh_link: SessionValue[tuple[str, str] | None] = SessionValue("fresh_link", _nothing)
    """The chat or sweep that a link was made to last, and what stands in the link's address: nothing else keeps it."""
    page_dialog = Dialog[str]("page_dialog")
    """Which dialog of the menu is open: help, deleting, or the links that were shared."""

    @property
    def dialog_open(self) -> bool:
        """Whether a dialog covers the chat. Streamlit answers in it only while no script runs."""
        everywhere = (self.connecting, self.page_dialog, self.over_budget, self.sharing)
        choosing = (self.choosing_model, self.choosing_prompt, self.offered_chats)
        return any(one is not None for one in (*everywhere, *choosing, self.inspected, self.figures))

    def open_page_dialog(self, name: str) -> None:
        """Open one of the menu's dialogs in place of any other; a callback."""
        self.close_dialogs()
        self.page_dialog = name

    def close_dialogs(self) -> None:
        """Close the one that is open, with what it remembered."""
        st.session_state[OPEN] = self.not_shared = None
        self.services_named = 0
        self.why_connecting = self.after_connecting = self.forgotten = self.changing = self.refused = None


state = State()
