"""The set-up as a link, or as a file; and a file with a set-up, or with a whole sweep, opened."""

import streamlit as st

from lib.core.errors import InvalidInput
from lib.core.file_names import file_name
from lib.core.i18n import joined
from lib.core.titles import title_of
from lib.sweep import answer_file, setup_file
from lib.sweep.plan import Plan
from lib.ui.shared import links, resources
from lib.ui.shared.refusals import refusals_told
from lib.ui.shared.state import state
from lib.ui.shared.texts import _, error_message
from lib.ui.shared.visitor import visitor
from lib.ui.sweep import form
from lib.ui.sweep.links import sweep_link
from lib.ui.sweep.view_state import begin_anew

FILE = "sweep_setup_file"


def share() -> None:
    """A button that opens the link and the file of the set-up."""
    words = _("Link or file of this set-up")
    opened = st.popover(words, icon=":material/link:", type="tertiary", key="sweep_share", on_change="rerun")
    if opened.open:
        with opened:
            _body()


def _body() -> None:
    try:
        plan = form.read_plan()
    except InvalidInput as missing:
        st.caption(error_message(missing))
    else:
        _link(plan)
        _file(plan)
    st.file_uploader(
        _("Open a set-up, or a sweep with its answers, from a file"),
        type=["json"],
        key=FILE,
        max_upload_size=setup_file.MAX_BYTES // 1_000_000,
        on_change=_open,
    )


def _link(plan: Plan) -> None:
    try:
        link = sweep_link(plan, links.page_address())
    except InvalidInput as too_long:
        st.caption(joined([error_message(too_long), _("Save it as a file instead.")], _))
        return
    links.show_link(_("A link that fills this form, and sends nothing; never a key:"), link)


def _file(plan: Plan) -> None:
    st.download_button(
        _("Save as a file"),
        lambda: setup_file.written(plan),  # made on the click, not with every rerun
        file_name=file_name(title_of(plan.prompt), "sweep.json", "sweep"),
        mime="application/json",
        key="sweep_setup_save",
        icon=":material/download:",
        on_click="ignore",
    )


def _open() -> None:
    file = st.session_state.get(FILE)
    if file is None:
        return
    with refusals_told():
        sweep = answer_file.read(file.getvalue())
        plan = setup_file.read(file.getvalue()) if sweep is None else sweep.plan
        opened = None if sweep is None else answer_file.bring_in(resources.services().store, visitor().owner, sweep)
        form.put_aside()
        form.fill(plan)
        state.sweep_id = opened
        if opened is not None:
            begin_anew()
