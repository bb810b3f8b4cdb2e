"""Conversations: trees of messages, of which one branch is open.

Begin with `repository`, where the tree is stored; `branch` reads what is open of it, and `conversation` asks.
"""
