"""Look at what the links of messages lead to.

The message is long stored and delivered when that happens. What is found becomes part of it, and
an event tells; that nothing could be found is stored too, and tried no second time.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import structlog

from service.chat.context import ChatContext
from service.chat.job_lease import LEASE, give_back_if_killed
from service.chat.store import events, rooms
from service.chat.store import previews as store
from service.chat.store.previews import PreviewJob
from service.outside.errors import OutsideError, Refused
from service.outside.html_metadata import ACCEPT, PageMetadata, extract

log = structlog.get_logger("service.previews")

# Seconds for one page with its redirects, and bytes of it; guessed. What a page says of itself
# stands at its beginning.
_SECONDS = 10.0
_BYTES = 256 * 1024
# A page that ended so many workers is not looked at again; guessed.
_TAKEN = 3


class PreviewJobs:
    """Makes previews out of links that wait for one."""

    def __init__(self, chat: ChatContext) -> None:
        self._chat = chat
        self._client = chat.outside

    def take(self) -> Callable[[], None] | None:
        """What makes the preview that waits longest; ``None`` if none waits."""
        with self._chat.db.connection() as db:
            job = store.take(db, LEASE, self._client.host_limit.busy_hosts())
        return partial(self._make, job) if job else None

    def _make(self, job: PreviewJob) -> None:
        with give_back_if_killed(self._chat.db, lambda db: store.give_back(db, job)):
            found = self._look(job)
        if isinstance(found, PageMetadata):
            self._store(job, found)
            return
        log.debug("no preview", room=job.room_id, message=job.seq, why=found)
        with self._chat.db.connection() as db:
            store.make_failed(db, job, found)

    def _look(self, job: PreviewJob) -> PageMetadata | str:
        """What the page says of itself, or why that is not known."""
        if job.taken > _TAKEN:
            return f"given up: {_TAKEN} workers ended while they looked at it"
        try:
            answer = self._client.get(job.url, accept=ACCEPT, seconds=_SECONDS, max_bytes=_BYTES)
            if answer.status != 200:
                return f"the site answered {answer.status}"
            page = extract(answer.content, answer.headers.get("content-type", ""), answer.url)
        except OutsideError as error:
            return str(error)
        return page if self._may_show(page.image_url) else page._replace(image_url=None)

    def _may_show(self, image_url: str | None) -> bool:
        """Whether browsers may be sent there: not into their own networks, by an address at
        least; what a name leads to in the network of a browser is not known here."""
        try:
            return image_url is None or bool(self._client.check(image_url))
        except Refused:
            return False

    def _store(self, job: PreviewJob, page: PageMetadata) -> None:
        with self._chat.db.transaction() as db:
            # The room first, as whoever edits or deletes the message does.
            if not rooms.hold(db, job.room_id):
                return
            author_id = store.make_ready(db, job, page)
            if author_id is None:
                return
            event = events.append(db, job.room_id, "preview.ready", author_id, message_seq=job.seq)
        self._chat.announce(job.room_id, event)
