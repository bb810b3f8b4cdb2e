"""Conversations: trees of messages, of which one branch is open.

conversation    what is said becomes a place in the tree, recorded calls, and running answers
repository      chats as they are stored; branch reads the open one
form            what the chat page is set to
context_window  whether the next message fits, and what it costs
temporary       temporary chats end when they are left
export          a chat as Markdown or JSON, and back
inspection      what a call sends, and what came for it
"""
