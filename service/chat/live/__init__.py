"""Live streams: what one process does for the clients that are connected to it.

The layers, each importing only those above it:

    positions   how far a client has come in each room, as one short text
    batch       some events of one room, made into bytes once for all who get them
    feed        a room in this process: how far it has been read, and who gets it
    stream      one client, as far as this package knows it
    audience    one user in this process: its streams and its rooms
    resume      what a client missed, between where it was and where its process is
    moments     typing, presence and read marks: of the moment, never in the log
    reader      reads each room's log once and hands it to the streams, in order
    hub         who listens to what; where notices come in
    attendance  who is there, as leases in the database
    care        the checks that find what a lost hint or notice left behind
"""
