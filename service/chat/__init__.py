"""The domain: what the chat does. It knows SQL and no HTTP.

The layers, each importing only those above it:

    models, passwords              what the API takes and returns; password hashes
    links, retry_schedule          the links in a text; when to retry a failed webhook
    job_lease                      a job that one worker has for a limited time
    webhook_models                 what the API takes and returns about webhooks
    fanout/                        notices from one process to all others
    store/                         the SQL, one function for each query
    context                        what every use case is given: database, passwords, fan-out
    events                         what streams send, read from the log of a room
    accounts                       use cases: users and sessions
    stream_tickets                 use cases: the cookie that opens a stream
    rooms                          use cases: rooms and their members
    messages, read_marks, home     use cases: messages, what was read, the first screen
    presence, webhooks             use cases: typing and who is online; webhooks of a room
    previews, webhook_deliveries   the jobs that workers run beside the requests
    live/                          the streams of one process
"""
