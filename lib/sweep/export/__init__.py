"""A sweep for other people: a report to read and to print, a summary to paste, files for spreadsheets and programs.

What models, services and people wrote goes through `lib.core.rich_text` or is escaped: a report opens without scripts
and asks no other computer for anything.
"""
