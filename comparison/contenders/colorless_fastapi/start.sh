#!/bin/sh
exec python -m colorless run app:app --bind "127.0.0.1:$PORT" --workers 1 \
    --worker-connections 12000 --backlog 4096 --keep-alive 75 --timeout 0 --log-level warning
