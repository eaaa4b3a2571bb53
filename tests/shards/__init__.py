"""The whole suite on all cores: ``python -m tests.shards [what pytest would be told]``.

pytest-xdist feeds its workers through a real thread, which a patched process cannot wait for, so
the work is dealt out here. A *shard* is a pytest process that asks for a file, runs its tests and
asks for the next, with a PostgreSQL of its own for as long as it lives.

    plan       which files there are, and in which order: the longest first, or shuffled
    durations  how long each file took the last time
    channel    how the two processes talk: a JSON object a line
    plugin     the shard's half, a plugin of pytest
    shard      this side's half: starts one, deals files out, notices when it dies
    pulse      whether the machine stood still while a test failed: then it runs again, alone
    results    counts, prints failures as they come, and the summary
    __main__   starts the shards, and ends them

``SHARDS`` (the number of cores), ``ORDER=random`` and ``SEED`` come from the environment.
"""
