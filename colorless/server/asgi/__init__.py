"""A request as an ASGI application sees it.

What the engine hands over is taken to the application and back:

    body          what receive() tells of a request's body
    scope         from a head's bytes to an ASGI scope
    response      what send() puts on the wire
    shared        what all calls of a worker are served with
    messages      whole messages, out of a WebSocket's frames
    handshake     the opening handshake of a WebSocket
    frame_stream  an open WebSocket: messages in, frames out
    websocket     a WebSocket as the application sees it
    upgrade       what serves a WebSocket, if `websockets` is installed
    call          one call of the application
    speaker       calls the application, each time in a task
    lifespan      the start and the end of the application
    unloadable    tells what is wrong with an application that cannot be imported
"""
