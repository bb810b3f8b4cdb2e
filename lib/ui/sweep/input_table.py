"""The list of inputs: a table with a column for each `{{variable}}` of the prompt, typed in or from a file."""

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd
import streamlit as st

from lib.core.errors import InvalidInput
from lib.core.i18n import N_, listed
from lib.core.rich_text import literal
from lib.core.variables import names
from lib.sweep.input_file import MAX_BYTES, InputFile, read
from lib.ui.shared.texts import _, _n, error_sentence

ROWS = "sweep_inputs"
AS_IT_STANDS = "sweep_inputs_off"
KEYS = (ROWS, AS_IT_STANDS)
"""What a reload brings back: the rows, each with its values by column; and whether the braces are sent as they are."""
_EDITED = "sweep_inputs_edited"
_SAID = "sweep_inputs_said"
BLANK_ROWS = 3
MOST_NAMED = 8

Rows = list[dict[str, str]]


def input_table(texts: Iterable[str]) -> None:
    """The table, where there is a variable in `texts`; nothing elsewhere."""
    wanted = variables_in(texts)
    if not wanted:
        return
    with st.container(key="sweep_inputs_box", border=True):
        if st.session_state.get(AS_IT_STANDS):
            st.caption(_("The double braces are sent as they stand."))
        else:
            st.caption(_("Each row is an input: the prompt is asked with its values in place of the braces."))
            _editor(wanted)
            _from_file(wanted)
        st.toggle(_("No list: send the double braces as they stand"), key=AS_IT_STANDS, persist_state="session")


def inputs(texts: Iterable[str]) -> tuple[Mapping[str, str], ...]:
    """The rows with a value for one of the variables in `texts`; raises InvalidInput where there are variables and no
    row has a value."""
    wanted = variables_in(texts)
    if not wanted or st.session_state.get(AS_IT_STANDS):
        return ()
    rows = _filled(wanted)
    if not rows:
        braces = f"{{{{{wanted[0]}}}}}"
        raise InvalidInput(
            N_("{variable} has no value yet: fill in the list, or have it sent as it stands."), variable=braces
        )
    return tuple({name: row.get(name, "") for name in wanted} for row in rows)


def fill(rows: Iterable[Mapping[str, str]]) -> None:
    """Let the list have `rows`, instead of those before."""
    st.session_state[ROWS], st.session_state[AS_IT_STANDS] = [dict(row) for row in rows], False
    forget_edits()


def forget_edits() -> None:
    """Let the table begin anew with the rows as they stand in the session."""
    st.session_state.pop(_EDITED, None)
    st.session_state.pop(_SAID, None)


def variables_in(texts: Iterable[str]) -> list[str]:
    """The variables of several texts, each once."""
    return list(dict.fromkeys(name for text in texts for name in names(text)))


def _filled(wanted: Sequence[str]) -> Rows:
    rows: Rows = st.session_state.get(ROWS) or []
    return [row for row in rows if any(row.get(name, "").strip() for name in wanted)]


def _editor(wanted: Sequence[str]) -> None:
    key, table = _table(wanted)
    edited = st.data_editor(
        table,
        key=key,
        num_rows="dynamic",
        hide_index=True,
        column_order=wanted,
        column_config={name: st.column_config.TextColumn(literal(name), default="") for name in table.columns},
        height="content" if len(table) <= BLANK_ROWS else 240,
    )
    st.session_state[ROWS] = _rows(edited)
    filled = _filled(wanted)
    for name in wanted:
        empty = sum(not row.get(name, "").strip() for row in filled)
        if empty:
            words = _n("{count} row has no value for “{name}”.", "{count} rows have no value for “{name}”.", empty)
            st.caption(words.format(count=empty, name=literal(name)))


def _table(wanted: Sequence[str]) -> tuple[str, pd.DataFrame]:
    """The editor's key, and the table that it began with: it keeps its edits apart from that, by the key."""
    number, columns, table = st.session_state.get(_EDITED, (0, (), None))
    # Left for another page, the editor forgets its edits; with other columns they would be of another table. In both
    # cases a new one begins with the rows as they stand.
    if table is None or columns != tuple(wanted) or f"{ROWS}_{number}" not in st.session_state:
        rows: Rows = st.session_state.get(ROWS) or []
        names = list(dict.fromkeys([*wanted, *(name for row in rows for name in row)]))
        blank: Rows = [{}] * max(0, BLANK_ROWS - len(rows))
        number, table = number + 1, pd.DataFrame([*rows, *blank], columns=names, dtype=object).fillna("")
        st.session_state[_EDITED] = (number, tuple(wanted), table)
    return f"{ROWS}_{number}", table


def _rows(edited: pd.DataFrame) -> Rows:
    """The rows with any value in them, as text."""
    lines = edited.fillna("").astype(str).to_dict("records")
    rows = [{str(name): value for name, value in line.items()} for line in lines]
    return [row for row in rows if any(value.strip() for value in row.values())]


def _from_file(wanted: Sequence[str]) -> None:
    # A key of its own for each table: the field is empty again when its file has become the table.
    key = f"sweep_inputs_file_{st.session_state[_EDITED][0]}"
    with st.expander(_("From a file: CSV or Excel"), key="sweep_inputs_from_file", type="compact"):
        columns = listed((literal(name) for name in wanted[:MOST_NAMED]), _)
        st.file_uploader(
            _("A file with the columns {names}").format(names=columns),
            type=["csv", "tsv", "txt", "xlsx"],
            key=key,
            max_upload_size=MAX_BYTES // 1_000_000,
            on_change=_take_file,
            args=(key, tuple(wanted)),
        )
    for sentence in st.session_state.get(_SAID, ()):
        st.info(sentence, icon=":material/info:")


def _take_file(key: str, wanted: Sequence[str]) -> None:
    """Let a file be the table; where it can't be, say why, and the table stays."""
    file = st.session_state.get(key)
    if file is None:
        return
    try:
        found = read(file.getvalue())
        rows = _with_columns(found, wanted)
    except InvalidInput as refused:
        st.session_state[_SAID] = [error_sentence(refused)]
        return
    fill(rows)
    said = [_n("{count} row from the file.", "{count} rows from the file.", len(rows)).format(count=len(rows))]
    if found.encoding:
        said.append(
            _("The file is not in UTF-8; it was read as {encoding}. Look whether its letters are right.").format(
                encoding=found.encoding
            )
        )
    st.session_state[_SAID] = said


def _with_columns(found: InputFile, wanted: Sequence[str]) -> Rows:
    """The file's rows under the variables' names, in upper or lower case; raises InvalidInput where one is missing."""
    alike = {name.casefold(): name for name in found.columns}
    missing = [name for name in wanted if name not in found.columns and name.casefold() not in alike]
    if missing:
        has = listed([*found.columns[:MOST_NAMED], *["…"] * (len(found.columns) > MOST_NAMED)], _)
        raise InvalidInput(N_("The file has no column “{name}”. It has: {names}."), name=missing[0], names=has)
    renamed = {name if name in found.columns else alike[name.casefold()]: name for name in wanted}
    return [{renamed.get(name, name): value for name, value in row.items()} for row in found.rows]
