"""Connections and what they may cost, whatever the application's interface is.

limits          how slow a client may be; what is raised when it is slower, or gone
deadline_queue  connections that wait for their client, by deadline
admission       at most so many at once
transport       a socket's bytes, never waiting in the hub and never for ever
head            from a head's bytes to an environ
connection      one client: who reads it, who owns it, when it ends
accept, drain   how connections begin and how the last ones end
"""
