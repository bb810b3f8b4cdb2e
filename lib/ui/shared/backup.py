"""Everything as one file and back, in the menu of every page."""

import tempfile
from datetime import date
from pathlib import Path

import streamlit as st

from lib.core.errors import NotRestored, TemperaError
from lib.core.i18n import N_
from lib.core.rich_text import literal
from lib.services import Services
from lib.store import backup
from lib.ui.shared.error_box import error_box
from lib.ui.shared.state import state
from lib.ui.shared.texts import _

BUSY = N_("Answers are still being written. Wait for them or stop them, then restore.")


def backup_section(services: Services) -> None:
    """Save everything by one click; restore it by a file and one click."""
    st.markdown(f"**{_('Your data')}**")
    st.download_button(
        _("Save a backup"),
        lambda: backup.saved(services.store),
        file_name=f"tempera-{date.today():%Y-%m-%d}.db",
        mime="application/vnd.sqlite3",
        key="backup_save",
        icon=":material/download:",
        on_click="ignore",
        help=_("All chats, sweeps, settings and the usage history in one file. Keys are not in it."),
    )
    file = st.file_uploader(_("Restore a backup"), type=["db"], key=_uploader())
    st.caption(_("Larger than the field takes? Whoever installed Tempera can restore it, as its instructions say."))
    if file is not None:
        st.caption(_("This replaces everything that is here now; a copy of that is kept beside the database."))
        st.button(
            _("Replace everything"), key="backup_restore", type="primary", on_click=_restore, args=(services, file)
        )
    trouble = st.session_state.pop("backup_trouble", None)
    if isinstance(trouble, TemperaError):
        error_box(trouble)


def _uploader() -> str:
    """The uploader's key; another one empties it."""
    return f"backup_file_{st.session_state.get('backups_restored', 0)}"


def _restore(services: Services, file: "st.runtime.uploaded_file_manager.UploadedFile") -> None:
    try:
        kept = _replaced(services, file.getvalue())
    except TemperaError as trouble:
        st.session_state["backup_trouble"] = trouble
        return
    st.session_state["backups_restored"] = st.session_state.get("backups_restored", 0) + 1
    state.chat_id, state.sweep_id = None, None
    state.notices.append(
        _("The backup is restored. What was here before is kept in {copy}.").format(copy=literal(str(kept)))
    )


def _replaced(services: Services, contents: bytes) -> Path:
    if services.dispatcher.jobs.running():
        raise NotRestored(BUSY)
    with tempfile.TemporaryDirectory(prefix="tempera-restore-") as folder:
        source = Path(folder) / "backup.db"
        source.write_bytes(contents)
        return services.restore(source)
