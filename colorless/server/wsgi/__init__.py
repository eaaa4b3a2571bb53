"""A request as a WSGI application sees it (PEP 3333).

body       wsgi.input
handover   gunicorn.socket: the client's socket, for who takes it over
response   gunicorn's response, in one write where it can be
environ    from a head's bytes to an environ
exchange   one request, from its head to the end of its response
speaker    calls the application, each time in a green thread
"""
