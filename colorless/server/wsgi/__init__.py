"""A request as a WSGI application sees it (PEP 3333).

body           wsgi.input
environ        what a connection's environs have in common
response       gunicorn's response, in one write where it can be
exchange       one request, from its head to the end of its response
greenlet_pool  the green threads that serve requests
"""
