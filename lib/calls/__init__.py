"""One call to a model: its record, and its run.

Begin with `records`, which says what is stored of a call; `runner` makes one, and `dispatcher` starts it.
"""
