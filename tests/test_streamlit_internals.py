"""Each detail of Streamlit that we lean on and it does not promise, by name: this fails when an upgrade changes one."""

import importlib

import pytest
from streamlit.config import get_config_options
from streamlit.web.server.starlette import starlette_app

from lib import streamlit_internals as internals


def test_the_page_has_one_head_and_one_inline_script() -> None:
    page = internals.page()

    assert page.count("<head>") == 1
    assert page.count("<script>") == 1
    assert internals.inline_script_hashes().startswith("'sha256-") and " " not in internals.inline_script_hashes()


def test_a_script_goes_first_into_the_head() -> None:
    assert internals.with_script(b"<html><head><title>", b"<script>") == b"<html><head><script><title>"


def test_parts_of_pages_are_served_below_the_reserved_prefixes() -> None:
    reserved = starlette_app._RESERVED_ROUTE_PREFIXES

    assert {prefix.rstrip("/") for prefix in reserved} <= set(internals.PART_PREFIXES)


@pytest.mark.parametrize("name", internals.SLOW_IMPORTS)
def test_what_is_imported_ahead_is_there(name: str) -> None:
    assert importlib.import_module(name)


def test_the_options_we_set_exist() -> None:
    """An option that is gone would be ignored with a warning in the log, and its protection with it."""
    wanted = {"server.allowedHosts", "client.showErrorDetails", "server.enableXsrfProtection", "runner.magicEnabled"}

    assert wanted <= get_config_options().keys()
