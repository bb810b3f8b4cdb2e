"""A sweep for other people: a report to read and to print, a summary to paste, files for spreadsheets and programs.

document        the report, one HTML file; its parts are made by opening, answers and numbers
summary         six lines to paste into a mail
workbook        Excel
markdown        the report's text as Markdown
json_file       everything as JSON, and back

What models, services and people wrote goes through `lib.core.rich_text` or is escaped: a report opens without scripts
and asks no other computer for anything.
"""
