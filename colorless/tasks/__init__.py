"""Goroutine-like tasks: start one with :func:`go`, or several that end with a block.

    with TaskGroup() as group:
        rooms = group.go(load_rooms, user)
        unread = group.go(load_unread, user)
    return rooms.get(), unread.get()

Unlike a bare ``gevent.spawn`` a task starts with a copy of its parent's context variables, so
that deadlines, trace ids and Flask's proxies hold in it (gevent starts with an empty context).

The layers, each importing only those above it:

    async_result  a result to wait for, typed
    task          go, and the task that it makes
    group         several tasks that end with a block
"""

from colorless.tasks.group import TaskGroup
from colorless.tasks.task import Task, TaskCancelled, go

__all__ = ["Task", "TaskCancelled", "TaskGroup", "go"]
