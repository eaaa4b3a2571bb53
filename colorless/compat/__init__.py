"""Other packages' private and undocumented names, a file for each package, and nowhere else.

Each name stands here once, with what it is needed for and what to do when it goes. When a new
release of a package fails, look here first.

    gevent           the hub's callbacks, what its patch replaced, its raw sockets
    multiprocessing  how pipes read and write, how locks are taken
    psycopg2         the file of its C extension
"""
