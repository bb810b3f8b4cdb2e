"""The names of widgets and containers that CONTRIBUTING.md promises."""

import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.fake_api import FakeApi
from tests.pages import ROOT, ask, click, host, message_menu, new_tab, run_sweep, switch_on, switch_page

pytestmark = pytest.mark.usefixtures("settings_open")

PLACE = re.compile(r"<\w+>")


def promised() -> set[str]:
    """The names of the list."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    listed = text.partition("**Chat**")[2].partition("A link fills a form")[0]
    return {name for span in re.findall(r"`([^`]+)`", listed) for name in span.split()} - {"..._on"}


def on_the_page(app: AppTest) -> set[str]:
    """The keys of everything on the page; Streamlit ends the id of a widget and of a container with its key."""
    protos = "\n".join(str(getattr(node, "proto", "")) for node in app._tree)
    return set(re.findall(r"\$\$ID-[0-9a-f]+-(\w+)", protos))


def expanders() -> set[str]:
    """The keys of expanders as they stand in the code: only a browser gets to see them."""
    files = [*(ROOT / "lib" / "ui").rglob("*.py"), *(ROOT / "pages").glob("*.py")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    found = re.findall(r"\.expander\(.*?key=f?\"([^\"]+)\"", text, re.DOTALL)
    return {re.sub(r"\{[\w.]+\}", "0", name) for name in found}


def used_by_tests() -> set[str]:
    """Every name that another test spells out; `0` for what it fills in."""
    files = [path for path in (ROOT / "tests").rglob("*.py") if path != Path(__file__)]
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    return set(re.findall(r"\w+", re.sub(r"\{[\w.]+\}", "0", text)))


def test_every_name_that_stays_is_on_a_page_or_used_by_a_test_that_reaches_it(app: AppTest, api: FakeApi) -> None:
    found = on_the_page(app)
    switch_on(app, "max_tokens", "number_input", 2)
    ask(app, "one two three")
    found |= on_the_page(click(app, "figures_0")) | on_the_page(click(app, "connection_open"))
    found |= on_the_page(message_menu(app, "question_0", "edit"))
    tab = new_tab("sweep", models=f"{host(api)}/echo", prompt="Praise tea.", temperatures="0,1")
    found |= on_the_page(tab) | on_the_page(run_sweep(tab))
    found |= on_the_page(switch_page(tab, "usage"))
    known = " ".join(found | expanders() | used_by_tests())

    missing = [name for name in promised() if not re.search(rf"\b{PLACE.sub('[a-z0-9]+', name)}\b", known)]

    assert not missing, " ".join(missing)
