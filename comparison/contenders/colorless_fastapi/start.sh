#!/bin/sh
exec python -m colorless.cli run app:app --bind "127.0.0.1:$PORT"
