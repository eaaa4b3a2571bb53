"""The HTTP API: thin views over the use cases of :mod:`service.chat`.

routes      how a view is declared: path, what it takes, what it answers
dispatch    what happens around a view: deadline, token, rate, decoding, encoding
errors      one table from error to status
openapi     the document, made from the same declarations
accounts, rooms, messages, reading, webhooks, health      the views
"""
