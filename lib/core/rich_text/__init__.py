"""Foreign text, shown as it was written.

A model's answer is Markdown, but not the Markdown of Streamlit, which is made for apps: there `20~30` strikes words
through, `$5 … $6` is a formula, `:smile:` a face and `->` an arrow, and a picture's address is fetched at once. So a
real parser decides what is text, code, link, table or formula, and the page gets HTML that leaves nothing to decide.

- `render`: an answer in pieces for `st.markdown(piece, unsafe_allow_html=True)`.
- `Growing`: the same while it is still being written.
- `as_typed`: somebody's own words, exactly as typed, as one such piece.
- `literal`: a foreign word inside a sentence or a label of ours.
- `to_html`: an answer in a file; `typeset` draws the formulas in it, by `FORMULA_STYLES`.
- `beginning_to_html`: the same of its first lines, cut anywhere.
- `text_of_html`: what of that HTML is text; `line_of_html`: the same in one line.
- `tables`: its tables for a spreadsheet.

There is no sanitiser behind `unsafe_allow_html`. What comes from here is safe because every sign of the text is escaped
where HTML is made of it (`html`), and because a kept sanitiser then lets nothing pass but a few elements (`guard`).
"""

from lib.core.rich_text.growing import Growing
from lib.core.rich_text.literal import literal
from lib.core.rich_text.mathml import STYLES as FORMULA_STYLES
from lib.core.rich_text.mathml import typeset
from lib.core.rich_text.plain import line_of_html, text_of_html
from lib.core.rich_text.rendering import beginning_to_html, render, to_html
from lib.core.rich_text.tables import tables
from lib.core.rich_text.typed import as_typed

__all__ = [
    "FORMULA_STYLES",
    "Growing",
    "as_typed",
    "beginning_to_html",
    "line_of_html",
    "literal",
    "render",
    "tables",
    "text_of_html",
    "to_html",
    "typeset",
]
