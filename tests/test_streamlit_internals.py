"""Each detail of Streamlit that we lean on and it does not promise, by name: this fails when an upgrade changes one."""

import importlib
import re

import pytest
from streamlit.config import get_config_options
from streamlit.runtime import Runtime
from streamlit.runtime.state.session_state import SessionState
from streamlit.testing.v1 import AppTest
from streamlit.web.server.starlette import starlette_app, starlette_auth_routes

from lib import streamlit_internals as internals
from lib.web_server import ASSETS


def test_the_page_has_one_head_and_one_inline_script() -> None:
    page = internals.page()

    assert page.count("<head>") == 1
    assert page.count("<script>") == 1
    assert internals.inline_script_hashes().startswith("'sha256-") and " " not in internals.inline_script_hashes()


def test_a_script_goes_first_into_the_head_and_styles_after_streamlits_own() -> None:
    page = internals.with_parts(b"<html><head><title></head><body><div></body>", b"<script>", b"<link>")
    assert page == b"<html><head><script><title></head><body><div><link></body>"
    assert internals.page().count("</body>") == 1


def test_parts_of_pages_are_served_below_the_reserved_prefixes() -> None:
    reserved = starlette_app._RESERVED_ROUTE_PREFIXES

    assert {prefix.rstrip("/") for prefix in reserved} <= set(internals.PART_PREFIXES)


@pytest.mark.parametrize("name", internals.SLOW_IMPORTS)
def test_what_is_imported_ahead_is_there(name: str) -> None:
    assert importlib.import_module(name)


def test_the_options_we_set_exist() -> None:
    """An option that is gone would be ignored with a warning in the log, and its protection with it."""
    wanted = {"server.allowedHosts", "client.showErrorDetails", "server.enableXsrfProtection", "runner.magicEnabled"}
    wanted |= {"runner.fastReruns", "server.trustedUserHeaders"}

    assert wanted <= get_config_options().keys()


def test_accounts_are_signed_in_with_where_we_think() -> None:
    """tests/access/test_accounts.py goes the whole way."""
    paths = {route.path for route in starlette_auth_routes.create_auth_routes("")}

    assert {internals.LOGIN, internals.CALLBACK} <= paths
    assert internals.USER_COOKIES == starlette_auth_routes._AUTH_COOKIE_NAMES


def test_a_tab_has_an_id_and_the_server_knows_whether_it_is_open() -> None:
    """Both are asked of private parts: a session id, and the manager's list of active sessions."""

    def script() -> None:
        import streamlit as st

        from lib import streamlit_internals

        st.text(streamlit_internals.tab_id() or "")

    found = [text.value for text in AppTest.from_function(script).run().text]
    assert len(found) == 1 and found[0]
    assert internals.tab_id() is None
    assert callable(Runtime.is_active_session)


def _a_page() -> None:
    import streamlit as st

    st.session_state.setdefault("plain", [1])
    st.number_input("number", key="number", value=None)
    st.selectbox("without a key", [1, 2])
    if st.toggle("more", key="more"):
        st.slider("slider", 0, 10, key="slider", persist_state="session")
        st.text_input("text", key="text")


def test_each_value_alone_is_the_one_among_all_and_widgets_have_theirs_alone_put_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    everything, asked = SessionState.filtered_state, []
    counting = property(lambda state: asked.append(state) or everything.fget(state))
    monkeypatch.setattr(SessionState, "filtered_state", counting)
    app = AppTest.from_function(_a_page)
    steps = [
        lambda: None,
        lambda: app.toggle(key="more").set_value(True),
        lambda: app.slider(key="slider").set_value(3),
        lambda: app.number_input(key="number").set_value(2),
        lambda: app.session_state.__setitem__("slider", 4),
        lambda: app.toggle(key="more").set_value(False),
        lambda: app.session_state.__delitem__("plain"),
    ]
    for step in steps:
        step()
        asked.clear()
        assert not app.run().exception
        assert asked == []

        values, whole = app.session_state.to_dict(), everything.fget(app.session_state._state._state)
        assert {"plain", "number", "more"} <= whole.keys() and whole == {key: values[key] for key in values}
        assert repr(values) == repr(whole) and len(values) == len(whole)
        others = {"nothing", *app.session_state._state._state._keys()} - whole.keys()
        assert len(others) > 2 and not [key for key in others if key in values]


def test_styles_and_scripts_name_only_parts_that_streamlit_has() -> None:
    """They find the header, the sidebar, messages and fields by names that Streamlit gives them for its tests."""
    ours = [*ASSETS.glob("*.css"), *ASSETS.glob("*.js")]
    styles = "".join(path.read_text() for path in ours)
    scripts = "".join(path.read_text() for path in internals.static_folder().glob("static/js/*.js"))

    assert "window.__streamlit" in scripts and "BACKEND_BASE_URL" in scripts
    named = set(re.findall(r'data-testid="?(\w+)', styles))
    assert len(named) > 5
    # `stBaseButton-${kind}` is put together in the browser.
    written = ('"{}"', "`{}`", "`{}-$")
    assert {name for name in named if not any(one.format(name) in scripts for one in written)} == set()
