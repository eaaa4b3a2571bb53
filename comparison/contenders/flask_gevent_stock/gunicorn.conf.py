"""psycopg2 must be told to wait green; the worker has patched everything else by then."""

from psycogreen.gevent import patch_psycopg


def post_fork(server, worker):
    patch_psycopg()
