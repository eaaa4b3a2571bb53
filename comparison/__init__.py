"""The comparison lab: one contract, nine ways to serve it, measured side by side.

    __main__, commands    install, check, run, report, table
    contract      endpoints and expected answers, as data
    conformance   holds a running contender to the contract
    experiments   the claims and the cells that decide them, as data

    roster        who takes part: what stands in `contenders/`
    install       venvs, node_modules and binaries, all under `.lab/`
    machine       who gets which core
    backends      PostgreSQL, NATS and the stub server that every contender talks to
    process       one pinned contender, from start to stop
    accounting    CPU and memory of process trees, and what the neighbours take

    loads         the two load generators: wrk (closed loop) and `load/` (open loop, streams)
    measure       one cell on one contender
    runner        all cells in interleaved rounds; every result is a line in raw.jsonl

    stats, results        medians with intervals
    ducttape, short, verdicts    what code and numbers say about each claim
    report, details, plots, table    what a person reads; written by `blocks`, in `wording`

The lab talks to contenders over HTTP only. It never imports `colorless` or `service`.
"""
