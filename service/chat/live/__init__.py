"""Live streams: what one process does for the clients that are connected to it.

The layers, each importing only those above it:

    positions       how far a client has come in each room, as one short text
    batch           consecutive events of one room, encoded once for all who get them
    room_feed       a room in this process: how far its log was read here, and who gets it
    stream          one client's stream, whatever its protocol
    subscriber      one user in this process: its streams and its rooms
    resume          sends a client the events that it missed
    registry        the subscribers and room feeds of this process
    log_reader      reads each room's log once and hands its events to the streams, in order
    ephemeral       typing, presence and read marks: sent to streams, never stored in the log
    manager         opens and closes streams; acts on the notices of all processes
    presence_lease  which users are online, as leases in the database
    reconcile       compares this process with the database, in case a notice was lost
"""
