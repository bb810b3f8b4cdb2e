"""Tables whose numbers stand as their reader writes them, and are sorted by what they are."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from lib.ui.shared import numbers
from lib.ui.shared.texts import country

if TYPE_CHECKING:
    from pandas.io.formats.style import Styler

MISSING = "–"
"""What is not known. A browser draws nothing else in a number's place where there is none (`placeholder`)."""
Form = str | Callable[[Any], str]
"""How the numbers of a column are written: a form as in a sentence (`,.1f`), or a function."""


def written(frame: pd.DataFrame, forms: Mapping[str, Form]) -> "Styler":
    """`frame` for `st.dataframe`, with the columns of `forms` written so; a format of their own in the column's
    configuration would go before it."""
    styled = frame.style
    for name, form in forms.items():
        if name in frame:
            styled = styled.format(form if callable(form) else _writer(form), subset=[name], na_rep=MISSING)
    return styled


def _writer(form: str) -> Callable[[Any], str]:
    locale = country()
    return lambda value: numbers.written(float(value), form, locale)
