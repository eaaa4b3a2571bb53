"""The chat service: an HTTP API with live streams, and the page that uses it.

The layers, each importing only those above it:

    errors, settings       the errors of the domain; every environment variable
    logs, backoff          the format of log lines; growing delays between attempts
    parent_death, signals  a child process that ends with its parent; what SIGTERM does
    job_runner             runs jobs that wait in the database, a few at a time
    web/, outside/         the page; calls to other sites, guarded against SSRF
    db/                    the embedded PostgreSQL, migrations, connection limits
    chat/                  the domain: use cases and SQL, no HTTP
    background             green threads that run as long as a worker process
    api/                   the HTTP API: thin views over the use cases
    app                    the composition root: makes the WSGI application
    seed, serve, wsgi      example data; database and gunicorn in one command; gunicorn's entry
"""
