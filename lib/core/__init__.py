"""Values and rules without I/O: no network, no database, no Streamlit, no settings.

parameters      the fields that may be set, and their ranges: Chat Completions' own names
request  reply  messages and what is sent; the answer as it grows, its end and its usage
errors          what can go wrong, each fit to be shown
extra_fields    fields that the API does not name, typed as JSON
tokens  prices  counts with tiktoken, costs at list prices
images          which images can go with a message
model_names     whether two ids name the same model
parts           what an answer holds beside its text
csv_table       tables as CSV that no spreadsheet runs
i18n            marks sentences for translation
clock  titles   timestamps; a text shortened to a title
"""
