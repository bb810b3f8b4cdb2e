"""Tells the page's script and styles (lib/ui/assets) of this visitor and this run, as CSS variables."""

import json

import streamlit as st

from lib.core.i18n import N_
from lib.ui.shared.state import state
from lib.ui.shared.texts import _, page_language

THEME_KEY = "theme"
COLOURS = {
    "background": "backgroundColor",
    "panel": "secondaryBackgroundColor",
    "border": "borderColor",
    "text": "textColor",
    "accent": "primaryColor",
    "link": "linkColor",
}
STREAMLIT_NAMES = {
    "Skip to main content": N_("Skip to the content"),
    "Sidebar": N_("Sidebar"),
    "Collapse sidebar": N_("Close the sidebar"),
    "Expand sidebar": N_("Open the sidebar"),
    "Close": N_("Close"),
    "Show password": N_("Show the key"),
    "Hide password": N_("Hide the key"),
    "Send message": N_("Send"),
    "Upload files": N_("Attach files"),
    "Upload": N_("Choose a file"),
    "{size} per file": N_("up to {size}"),
    "Copy to clipboard": N_("Copy"),
    "Open": N_("Open"),
    "Clear value": N_("Clear"),
    "Clear all": N_("Clear"),
    "Selected values": N_("Chosen"),
    "Increment": N_("Increase"),
    "Decrement": N_("Decrease"),
    "file upload": N_("Choose a file"),
    "Show/hide columns": N_("Columns"),
    "Search": N_("Search"),
    "Fullscreen": N_("Full screen"),
    "Chat message from user": N_("Your message"),
    "Chat message from assistant": N_("Answer"),
    "Connection error": N_("Tempera does not answer"),
    "Streamlit server is not responding. Are you connected to the internet?": N_(
        "What is saved is safe. As soon as Tempera answers again, this page goes on by itself. If it runs on this "
        "computer, start it again; else it may be your network."
    ),
}
"""What Streamlit calls its own elements, most of them for screen readers only, and what it says where the server is
away: in English, with no way to set it."""


def page_style() -> str:
    """A style element with the variables."""
    told = {
        "page-language": _quoted(page_language()),
        "page-theme": _quoted(st.session_state.get(THEME_KEY) or "system"),
        "page-words": _quoted(json.dumps({english: _(ours) for english, ours in STREAMLIT_NAMES.items()})),
        "connected": str(state.connected),
        "done": _quoted(_("Done")),
        "pasted": _quoted(_("pasted.txt")),
        "typed": _quoted(_("what you type")),
    }
    variables = "; ".join(f"--{name}: {value}" for name, value in told.items())
    return f"<style>:root {{ {variables}; {colours()} }}</style>"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def colours() -> str:
    """The theme's colours as CSS variables, which Streamlit gives to components only."""
    named = {
        name: [st.get_option(f"theme.{scheme}.{option}") for scheme in ("light", "dark")]
        for name, option in COLOURS.items()
    }
    return "; ".join(f"--page-{name}: light-dark({light}, {dark})" for name, (light, dark) in named.items())
