"""The database server: its connections, its schema, and one that comes with the service.

The layers, each importing only those above it:

    capacity, migrate  how many connections the workers need; the SQL in migrations/, in order
    os_user            the operating system's user who runs the embedded server
    embedded           a PostgreSQL that the service starts and stops itself
"""
