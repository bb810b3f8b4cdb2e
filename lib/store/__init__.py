"""The database: SQLite or PostgreSQL, one thread that writes and any number of readers.

database        the one writer and the readers
engines         connections to either database, and damaged files
schema          every table; migrations/ brings an older database to it
image_store     images, kept once
memory_store    a store for texts that must never reach the disk
process_lock    which processes of Tempera are alive
"""
