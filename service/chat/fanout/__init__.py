"""Fan-out: notices from one process of the service to all others.

The layers, each importing only those above it:

    notices         what the processes tell each other
    backend         the interface of a fan-out
    outgoing        the bounded queue of notices that wait to be sent
    postgres, nats  over LISTEN/NOTIFY, which needs no other server; over NATS, for many machines

Delivery is best effort and outside every transaction: while a backend cannot be reached, notices
are lost, never a message, and nobody who publishes waits.
"""
