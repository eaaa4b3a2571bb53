#!/bin/sh
exec "$LAB_BINARY"
