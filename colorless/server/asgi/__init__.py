"""The worker for ASGI applications, on the WSGI worker's HTTP engine.

Accepting, reading, the deadlines, the grammar of requests and the drain are ``colorless.worker``'s.
What is here takes a connection whose request has arrived to the application and back:

    scope        from a head's bytes to an ASGI scope
    body         what receive() tells of a request's body
    response     what send() puts on the wire
    connection   a connection whose requests are served by tasks
    call         one call of the application
    websocket    the same for a WebSocket, by gunicorn's protocol
    calls        the tasks that run at once
    lifespan     the start and the end of the application
    worker       the worker class
    stock        gunicorn's own worker on the same loop, for HTTP/2 and uwsgi
"""
