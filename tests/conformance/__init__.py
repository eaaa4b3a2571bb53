"""CPython's own asyncio tests, run against HubLoop."""
