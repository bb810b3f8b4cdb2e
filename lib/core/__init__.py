"""Values and rules without I/O: no network, no database, no Streamlit, no settings.

Begin with `parameters`, `request`, `reply` and `errors`: the words that all other packages use.
"""
