"""The HTTP API: thin views over the use cases of :mod:`service.chat`.

The layers, each importing only those above it:

    errors, decoding               the table from exception to status; request data to types
    rate_limit                     where 429 is decided
    routes                         how a view is declared: path, parameters, answer
    dispatch, openapi              calls a view: deadline, token, rate limit; the API's document
    pages, health                  the page and the API reference; /livez and /readyz
    accounts, rooms, messages      the views
    read_marks, webhooks           more views
    stream_auth                    who opens a stream: token or ticket, and the Origin check
    presence                       the views about typing, presence and stream tickets
    socket_takeover, heartbeat     takes a socket from the worker; pings every stream
    stream_socket, stream_drain    a stream on its socket; ends the streams of a worker that stops
    websocket, sse                 the two protocols of streams
    streams                        the views that open streams
"""
