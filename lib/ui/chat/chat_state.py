"""What a browser tab remembers of the chat page between two script runs; the open chat: lib/ui/shared/state.py"""

from dataclasses import dataclass

from lib.chat.attachments import Attachment
from lib.chat.chat_import import Listing
from lib.chat.form import Form
from lib.chat.repository import Chat
from lib.ui.chat.live_answer import LiveAnswers
from lib.ui.shared.session_value import Dialog, SessionValue, nothing
from lib.ui.shared.state import state

SHOWN_TURNS = 8
"""Turns of a chat that are drawn when it is opened: as much as a screen holds, and some more."""
NEXT = "next"


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


class ChatState:
    """What is remembered, by name; widget values live under their own keys."""

    deleted_chat: SessionValue[str | None] = SessionValue("deleted_chat", nothing)
    """The chat that was deleted last, as long as that can be undone."""
    deleted_was_open: SessionValue[bool] = SessionValue("deleted_was_open", bool)
    """Whether that one was open, so that it is opened when it is brought back."""
    to_open: SessionValue[str | None] = SessionValue("chat_to_open", nothing)
    """A chat that the next run opens: where one is wanted after the page was drawn, its settings can't be set any more.
    """
    used_links: SessionValue[set[str]] = SessionValue("used_links", set)
    """The links that were used in this tab: each fills the form once."""
    settings_shown: SessionValue[tuple[str, Form] | None] = SessionValue("settings_shown", nothing)
    """The open chat and its settings as the page last showed them."""
    settings_open: SessionValue[bool] = SessionValue("settings_open", bool)
    """Whether Chat's settings are open."""
    missing_chat: SessionValue[bool] = SessionValue("missing_chat", bool)
    """Whether the address names a chat that there is not."""
    temporary: SessionValue[bool] = SessionValue("temporary_chat", bool)
    """Whether the open chat, or the one that begins next, is kept in memory only."""
    unsaved: SessionValue[bool] = SessionValue("unsaved_chat", bool)
    """Whether the open chat is in memory only because the store takes nothing at present."""
    formatted: SessionValue[set[str]] = SessionValue("formatted_messages", set)
    """The visitor's own messages that are shown as Markdown, not as they were typed."""
    asked: SessionValue[int] = SessionValue("asked_times", int)
    """How many times a model was asked in this tab: each time the page shows the question anew."""
    waited: SessionValue[bool] = SessionValue("asked_by_itself", bool)
    """Whether the last of these had waited its turn: nobody has pressed anything just now."""
    asked_form: SessionValue[tuple[str | None, Form] | None] = SessionValue("asked_form", nothing)
    """The chat in which a model was asked last, and how the page was set then."""
    editing: SessionValue[str | None] = SessionValue("editing_message", nothing)
    """The message that is being edited."""
    panel: SessionValue[tuple[str, str, str] | None] = SessionValue("opened_panel", nothing)
    """What is opened below a turn: its name on the page, the turn's id, and one of message_menu.PANELS."""
    writing: SessionValue[bool] = SessionValue("writing_turn", bool)
    """Whether a turn is being written by hand."""
    deleted_turn: SessionValue[tuple[str, int] | None] = SessionValue("deleted_turn", nothing)
    """The turn that was deleted last, and the mark that brings it back."""
    images: SessionValue[list[str]] = SessionValue("images_to_send", list)
    """Images, as data URLs, that go with the next message."""
    attachments: SessionValue[list[Attachment]] = SessionValue("attachments_to_send", list)
    """Texts that go with the next message."""
    unconfirmed: SessionValue[UnconfirmedMessage | None] = SessionValue("held_message", nothing)
    """A message that is asked about before it is sent."""
    waiting: SessionValue[str | None] = SessionValue("waiting_message", nothing)
    """A message that waits until the running answer has ended."""
    put_back: SessionValue[str | None] = SessionValue("put_back_message", nothing)
    """What the next run puts into the composer: a message that could not be sent."""
    live: SessionValue[tuple[LiveAnswers, list[str], str | None] | None] = SessionValue("live_answers", nothing)
    """The answers that are drawn on since the last run, and what that run said: its notices, and the chat in which it
    offered a new one."""
    patient: SessionValue[set[str]] = SessionValue("patient_calls", set)
    """The calls whose first word is waited for without asking again."""
    shown_turns: SessionValue[int] = SessionValue("shown_turns", lambda: SHOWN_TURNS)
    """How many of a chat's last turns are drawn when it is opened, more with each wish for earlier ones."""
    first_shown: SessionValue[tuple[str | None, int] | None] = SessionValue("first_shown_turn", nothing)
    """The open chat, and the index of its first turn that is drawn."""
    figures = Dialog[tuple[str, str]]("answers_figures")
    """The answer whose numbers are looked at: its name on the page and its call's id."""
    inspected = Dialog[str]("inspected_call")
    """The call whose request and answer are looked at; NEXT is the one that comes."""
    choosing_model = Dialog[bool]("models_dialog")
    """Whether the list of all models is open."""
    saving = Dialog[Chat]("saving_chat")
    """The chat that is being saved as a file."""
    choosing_prompt = Dialog[bool]("chat_templates")
    """Whether the prompts to be used again are open."""
    offered_chats = Dialog[Listing]("offered_chats")
    """The chats in a file, while some of them are chosen; None is no file."""

    files_taken: SessionValue[int] = SessionValue("files_taken", int)
    """How many files with chats were chosen and are done with."""

    @property
    def dialog_open(self) -> bool:
        """Whether a dialog covers the page: then the page is not run anew by itself."""
        own = (self.choosing_model, self.choosing_prompt, self.offered_chats, self.inspected, self.figures, self.saving)
        return state.dialog_open or any(one is not None for one in own)


chat_state = ChatState()
