"""Other packages' private and undocumented names, a file for each package, and nowhere else.

Each name stands here once, with what it is needed for and what to do when it goes. When a new
release of a package fails, look here first.

    asyncio          the running loop, its tasks, its transports and its debug mode
    gevent           the hub's callbacks, what its patch replaced, its raw sockets
    gunicorn         the worker's settings, its arbiter's ways, its log
    gunicorn_asgi    its lifespan manager, its own ASGI worker
    gunicorn_gthread  whether this process is its gthread worker
    httptools        what its parser does that it does not document
    multiprocessing  how pipes read and write, how locks are taken
    psycopg2         the file of its C extension
    subprocess       how a child is started in one step
    websockets       what its protocol says of its end
"""
