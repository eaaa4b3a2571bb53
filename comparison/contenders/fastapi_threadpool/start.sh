#!/bin/sh
exec uvicorn app:app --host 127.0.0.1 --port "$PORT" --loop uvloop --http httptools \
    --ws websockets-sansio --no-access-log --log-level warning --backlog 4096
