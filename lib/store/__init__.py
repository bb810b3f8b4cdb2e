"""The database: SQLite or PostgreSQL, one thread that writes and any number of readers.

database        the one writer and the readers
engines         connections to either database, and damaged files
schema          every table; migrations/ brings an older database to it
upgrade         brings an older database to today's tables, a copy first
backup          everything as one file, and back
texts           texts, kept once
message_nodes   conversations that were sent, each message kept once
image_store     images, kept once
kept_parts      what answers hold beside their text, large contents apart
memory_store    a store for texts that must never reach the disk
process_lock    which processes of Tempera are alive
fallback_file   a small file beside the database for what it can't take at the moment
damaged_file    what a damaged file still holds, row by row into a new one
"""
