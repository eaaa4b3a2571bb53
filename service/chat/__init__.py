"""The domain: what the chat does, knowing SQL and no HTTP.

models      what is sent and what is answered
store/      the SQL, one function per question
chat        what the use cases work with: the database, the passwords, who is told
accounts, rooms, messages, reading, webhooks      the use cases, one function each
links       what of a message's text leads elsewhere
previews, deliveries    what workers do beside the requests, with what `lease` lends them
schedule    when a delivery that failed is tried again
events      what a stream says; notices    what the processes tell each other
fanout/     how notices travel; live/    the streams of one process
presence, tickets    who types, who is there; who may open a stream
"""
