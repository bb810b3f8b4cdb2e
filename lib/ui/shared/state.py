"""What a browser tab remembers between two script runs for all pages: ids and plain values, never a key."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import streamlit as st

from lib.access.shared_links import Kind
from lib.core.errors import BudgetReached, TemperaError
from lib.ui.shared.session_value import OPEN, Dialog, SessionValue, nothing


@dataclass(frozen=True, slots=True)
class Shareable:
    """A chat or a sweep of the visitor's; `page` writes what a link to it will show, `shows` says what that is."""

    kind: Kind
    id: str
    title: str
    shows: Sequence[str]
    page: Callable[[], bytes]


Stays = Literal["short", "long", "infinite"]
"""4 seconds, 10 seconds, or until it is closed."""


@dataclass(frozen=True, slots=True)
class PopUp:
    """A sentence that pops up, and for how long it stays."""

    sentence: str
    icon: str | None
    stays: Stays


@dataclass(slots=True)
class Connecting:
    """What an open connection dialog remembers. `why` it was opened, where it was not the visitor who did it; `then` is
    what goes on by itself once the service of that name, "" for any, is connected. `forgotten` is the title of the
    service that was forgotten in it, and `page_is_behind` whether the page around does not know that yet; `changing` is
    the name of the connected service that gets another key; `refused` is why the last try came to nothing, and the
    address that was probably meant, or ""."""

    why: str = ""
    then: tuple[str, Callable[[], None]] | None = None
    forgotten: str = ""
    page_is_behind: bool = False
    changing: str = ""
    refused: tuple[TemperaError, str] | None = None


Moved = Literal["", "page", "history"]
"""By nothing but what the page itself has written; by a link from another page; by the browser's Back or Forward."""


class State:
    """What is remembered, by name; widget values live under their own keys."""

    chat_id: SessionValue[str | None] = SessionValue("open_chat", nothing)
    """The open chat; None is a new one."""
    page: SessionValue[str] = SessionValue("page", str)
    """The page that is shown, by its place in the address."""
    moved: SessionValue[Moved] = SessionValue("moved", lambda: "")
    """How the address came to be another one since the last run that went to its end."""
    sweep_id: SessionValue[str | None] = SessionValue("open_sweep", nothing)
    """The open sweep; None is a new one."""
    field_turns: SessionValue[dict[str, int]] = SessionValue("field_turns", dict)
    """How often each field of `closed_fields` was set by something else than itself."""
    choices_drawn_in: SessionValue[dict[str, str]] = SessionValue("choices_drawn_in", dict)
    """The language in which each field with a choice was drawn last, by its key."""
    notices: SessionValue[list[str]] = SessionValue("notices", list)
    """Sentences to be shown once, at the top of the page."""
    page_is_due: SessionValue[bool] = SessionValue("page_is_due", bool)
    """Whether a press wants something shown that a part of the page can't draw: a dialog, or a sentence at the top."""
    pop_ups: SessionValue[list[PopUp]] = SessionValue("pop_ups", list)
    """Sentences that pop up once, so that nothing on the page moves for them."""
    upgrade_read: SessionValue[bool] = SessionValue("upgrade_read", bool)
    """Whether it was read that the database was brought to a new form."""
    read_notices: SessionValue[int] = SessionValue("read_store_notices", int)
    """How many of the store's notices were read."""
    connecting = Dialog[Connecting]("connection_dialog")
    """The connection dialog."""
    going_on: SessionValue[Callable[[], None] | None] = SessionValue("going_on", nothing)
    """What is to go on now, in the run after the one in which the dialog was closed."""
    over_budget = Dialog[tuple[BudgetReached, Callable[[], None]]]("over_budget")
    """The budget that what was asked for would pass, while that is a question; and what goes on then."""
    after_budget: SessionValue[tuple[bool, Callable[[], None]] | None] = SessionValue("after_budget", nothing)
    """What is to go on now, after that question; and whether it may pass the budgets."""
    usage_section: SessionValue[str | None] = SessionValue("usage_section", nothing)
    """The section of the usage page that its next run opens."""
    to_price: SessionValue[list[tuple[str, str]]] = SessionValue("models_to_price", list)
    """The models whose prices the usage page was asked to show, by service and id."""
    recent_models: SessionValue[tuple[str, ...] | None] = SessionValue("recent_models", nothing)
    """The models used last as they were when this tab first listed models: an order that changes by itself moves what
    somebody is looking for."""
    newest_service: SessionValue[str | None] = SessionValue("newest_service", nothing)
    """The endpoint that was connected last in this tab: new choices begin with its models."""
    picked_model: SessionValue[str | None] = SessionValue("picked_model", nothing)
    """The model that was picked by hand last in this tab, since a service was connected: new chats begin with it. What
    other tabs begin with is a preference."""
    connected_in: SessionValue[str | None] = SessionValue("connected_in_chat", nothing)
    """The chat that was open when a service was connected just now: a new one with its model is offered there."""
    connected: SessionValue[int] = SessionValue("connected_times", int)
    """How many times a service was connected in this tab."""

    sharing = Dialog[Shareable]("sharing")
    """What the dialog makes links to that is open."""
    not_shared: SessionValue[TemperaError | None] = SessionValue("not_shared", nothing)
    """Why no link could be made, or taken back, in it."""
    fresh_link: SessionValue[tuple[str, str] | None] = SessionValue("fresh_link", nothing)
    """The chat or sweep that a link was made to last, and what stands in the link's address: nothing else keeps it."""
    saved_file: SessionValue[bool] = SessionValue("file_just_saved", bool)
    """Whether a file was saved that nobody was told of yet."""
    page_dialog = Dialog[str]("page_dialog")
    """Which dialog of the menu is open: help, deleting, or the links that were shared."""

    @property
    def dialog_open(self) -> bool:
        """Whether a dialog that every page has is open."""
        return any(one is not None for one in (self.connecting, self.page_dialog, self.over_budget, self.sharing))

    def open_page_dialog(self, name: str) -> None:
        """Open one of the menu's dialogs; a callback."""
        self.page_dialog, self.not_shared = name, None

    def close_dialogs(self) -> None:
        """Close the one that is open, of whatever page."""
        st.session_state[OPEN] = None


state = State()
