"""The comparison lab: one contract, nine ways to serve it, measured side by side.

    __main__      the commands: install, check, run, report, table
    contract      endpoints and expected answers, as data
    contenders    what stands in `contenders/`, and whether this machine can run it
    install       venvs, node_modules and binaries, all under `.lab/`
    backends      PostgreSQL, NATS and the stub server that every contender talks to
    process       one pinned contender: start, CPU, memory, stop
    loads         the two load generators: wrk (closed loop) and `load/` (open loop, streams)
    experiments   the claims and the cells that decide them, as data
    runner        measures cells in interleaved rounds; every result is a line in raw.jsonl
    stats, summary, verdicts    medians with intervals, and what they say about each claim
    report, plots, table        report.md, report.html and the README's table

The lab talks to contenders over HTTP only. It never imports `colorless` or `service`.
"""
