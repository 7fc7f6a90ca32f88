"""Server-sent events: tells open pages that situations or alerts have changed. One watcher for all of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

from asgiref.sync import sync_to_async
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse

from watchkeeper.domains.situations.live import change_mark, open_count
from watchkeeper.domains.situations.models import Situation
from watchkeeper.kernel.acting import Actor, actor_of
from watchkeeper.kernel.permissions import authority, visible
from watchkeeper.kernel.resource import registry

LOOK_EVERY = 1.0  # seconds between two looks at the records
KEEP_ALIVE = 15.0


class Watcher:
    """Looks at the records once for everybody, and only while somebody listens."""

    def __init__(self) -> None:
        self._listeners: set[asyncio.Queue[str]] = set()
        self._task: asyncio.Task[None] | None = None
        self._mark: object = None

    async def listen(self, own: Callable[[], int] | None = None) -> AsyncIterator[bytes]:
        """The stream of one page; `own` counts for a reader who may see some of the situations only."""
        queue: asyncio.Queue[str] = asyncio.Queue(4)
        self._listeners.add(queue)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._look())
        try:
            yield b"retry: 2000\n\n"
            yield (await self._told(own)).encode()
            while True:
                try:
                    text = await asyncio.wait_for(queue.get(), KEEP_ALIVE)
                    text = await self._told(own) if own else text
                except TimeoutError:
                    text = ": still here\n\n"
                yield text.encode()
        finally:
            self._listeners.discard(queue)

    async def _look(self) -> None:
        while self._listeners:
            mark = await sync_to_async(change_mark)()
            if mark != self._mark:
                self._mark = mark
                text = await self._told()
                for queue in self._listeners:
                    if not queue.full():
                        queue.put_nowait(text)
            await asyncio.sleep(LOOK_EVERY)

    async def _told(self, count: Callable[[], int] | None = None) -> str:
        number = await sync_to_async(count or open_count)()
        return f"event: situations\ndata: {json.dumps({'open': number})}\n\n"


watcher = Watcher()


async def live(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """GET /live/: an endless answer of server-sent events."""
    user = await request.auser()
    if not user.is_authenticated:
        return HttpResponse(status=401)
    actor = await sync_to_async(actor_of)(request)
    seen = await sync_to_async(authority().decide)(actor, "read", registry["situations"])
    own = None if seen.allowed and not seen.partly else lambda: open_count(_situations(actor))
    response = StreamingHttpResponse(watcher.listen(own), content_type="text/event-stream")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    return response


def _situations(actor: Actor) -> QuerySet[Situation]:
    """What the reader may see now: a stream may outlive a grant, so the person is looked at anew."""
    person = type(actor.person).objects.get(pk=actor.person.pk)
    return visible(replace(actor, person=person), "situations", Situation.objects.all())
