"""The SQL: one function for each query, which gets the connection to run it on.

The layers, each importing only those above it:

    users, rooms, presence              accounts and sessions; rooms and members; presence leases
    messages, events                    messages and their numbers; the log of a room
    read_marks, previews, webhooks      what was read; link previews; webhooks and their deliveries
    history                             a page of a room's messages
"""
