"""The HTTP API: thin views over the use cases of :mod:`service.chat`.

routes      how a view is declared: path, what it takes, what it answers
dispatch    what happens around a view: deadline, token, rate, decoding, encoding
errors      one table from error to status
openapi     the document, made from the same declarations
accounts, rooms, messages, reading, webhooks, moments, health      the views
streams     the two views that do not end: they take the socket from the worker, and return
callers, takeover, parked, heart, drain, websocket, eventstream      what streams are made of
"""
