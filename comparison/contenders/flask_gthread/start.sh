#!/bin/sh
exec gunicorn app:app --bind "127.0.0.1:$PORT" --workers 1 --worker-class gthread \
    --threads "$SLOW_POOL_SIZE" --worker-connections 12000 --backlog 4096 --keep-alive 75 \
    --timeout 0 --http-parser fast --log-level warning --no-control-socket
