"""The database: SQLite or PostgreSQL, one thread that writes and any number of readers.

Begin with `database` and `schema`. What is stored of a chat, a call or a sweep is said in those packages.
"""
