"""Connections and what they may cost, whatever the application's interface is.

Knows neither WSGI nor ASGI nor gunicorn: the process around it and the interface that it serves
are Protocols (``ports``), which a test can fake.

The layers, each importing only those above it:

    limits          how slow a client may be; what is raised when it is slower, or gone
    settings        how large a head may be, how many requests run at once, how long things wait
    keepalive       whether a connection may have another request
    deadline_queue  connections that wait for their client, by deadline
    admission       at most so many at once
    transport       a socket's bytes, never waiting in the hub and never for ever
    arrival         whether a head has arrived whole and within its limits, each byte looked at once
    head            the grammar of plain heads, and llhttp to split them into fields
    ports           what the engine asks of others: a speaker, its exchanges, the process around
    connection      one client: who reads it, who owns it, when it ends
    accept          how connections begin
    server          the connections of one process
    drain           how the last ones end
"""
