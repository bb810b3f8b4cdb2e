"""Signing in to a shared Tempera in a browser: a link is kept, nothing goes elsewhere, and tabs end together."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from lib.access import password
from tests.app_server import forked_app
from tests.browsing import SECONDS, heard_elsewhere, key

PASSWORD = "four unrelated words"


@pytest.mark.row("T17", "T9")
def test_a_link_is_kept_through_the_sign_in_and_a_sign_out_ends_every_tab(browser: Browser, tmp_path: Path) -> None:
    settings = {"TEMPERA_MODE": "shared", "TEMPERA_PASSWORD_HASH": password.hashed(PASSWORD)}
    with forked_app(tmp_path / "data", **settings) as app:
        context = browser.new_context(locale="en-US", reduced_motion="reduce")
        context.set_default_timeout(SECONDS)
        page = context.new_page()
        heard = heard_elsewhere(page, app)
        page.goto(f"{app.url}/?prompt=Hello+%3Cthere%3E")
        field = page.get_by_label("Password")
        expect(field).to_be_focused()
        field.fill("not the password")
        field.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("That is not the password.")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_label("Password").press("Enter")
        expect(page.get_by_test_id("stChatInputTextArea")).to_have_value("Hello <there>")

        other = context.new_page()
        other.goto(f"{app.url}/usage")
        key(other, "menu").get_by_role("button").click()
        key(other, "sign_out").get_by_role("link").click()
        expect(other.get_by_text("nobody can open them again")).to_be_visible()
        other.get_by_role("button", name="Sign out").click()
        expect(other.get_by_label("Password")).to_be_visible()
        # The first tab learns of it with its next press.
        key(page, "chat_new").get_by_role("button").click()
        expect(page.get_by_label("Password")).to_be_visible()
        assert heard == []
        context.close()
