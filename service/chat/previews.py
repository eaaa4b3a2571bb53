"""Link previews: fetches the pages that messages link to, and stores their title and image.

That happens after the message was stored and delivered. The preview becomes part of the message,
with an event of its own. A failure is stored too, and not tried again.
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

# Seconds for one page with its redirects, and bytes of it; guessed. A page's metadata is at its
# beginning.
_SECONDS = 10.0
_BYTES = 256 * 1024
# A job that was taken so often without an end, perhaps because it killed its worker, is given up;
# guessed.
_MAX_TAKEN = 3


class PreviewJobs:
    """The jobs that make previews of links."""

    def __init__(self, chat: ChatContext) -> None:
        self._chat = chat
        self._client = chat.outside

    def take(self) -> Callable[[], None] | None:
        """Lease the job that waits longest, and return what runs it; ``None`` if none waits."""
        with self._chat.db.connection() as db:
            job = store.take(db, LEASE, self._client.host_limit.busy_hosts())
        return partial(self._make, job) if job else None

    def _make(self, job: PreviewJob) -> None:
        with give_back_if_killed(self._chat.db, lambda db: store.give_back(db, job)):
            found = self._fetch(job)
        if isinstance(found, PageMetadata):
            self._store(job, found)
            return
        log.debug("no preview", room=job.room_id, message=job.seq, why=found)
        with self._chat.db.connection() as db:
            store.make_failed(db, job, found)

    def _fetch(self, job: PreviewJob) -> PageMetadata | str:
        """The page's metadata, or the reason why there is none."""
        if job.taken > _MAX_TAKEN:
            return f"given up: {_MAX_TAKEN} workers ended while they looked at it"
        try:
            answer = self._client.get(job.url, accept=ACCEPT, seconds=_SECONDS, max_bytes=_BYTES)
            if answer.status != 200:
                return f"the site answered {answer.status}"
            page = extract(answer.content, answer.headers.get("content-type", ""), answer.url)
        except OutsideError as error:
            return str(error)
        return page if self._may_show(page.image_url) else page._replace(image_url=None)

    def _may_show(self, image_url: str | None) -> bool:
        """Whether browsers may load the image: not from a private address. A host name is allowed,
        as what it resolves to in the network of a browser is not known here."""
        try:
            return image_url is None or bool(self._client.check(image_url))
        except Refused:
            return False

    def _store(self, job: PreviewJob, page: PageMetadata) -> None:
        with self._chat.db.transaction() as db:
            # The room is locked first, as by edits and deletions of the message.
            if not rooms.lock(db, job.room_id):
                return
            author_id = store.make_ready(db, job, page)
            if author_id is None:
                return
            event = events.append(db, job.room_id, "preview.ready", author_id, message_seq=job.seq)
        self._chat.announce(job.room_id, event)
