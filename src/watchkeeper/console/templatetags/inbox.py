"""What the bell and the Watch button have to know, asked where they are drawn."""

from __future__ import annotations

from typing import Any

from django import template
from django.http import HttpRequest

from watchkeeper.domains import inbox
from watchkeeper.domains.inbox import subscribing
from watchkeeper.domains.inbox.models import Subscription
from watchkeeper.kernel.acting import actor_of
from watchkeeper.kernel.events import written
from watchkeeper.kernel.resource import Resource

register = template.Library()


@register.simple_tag
def unread(user: Any) -> int:
    """How many notices this person has not read."""
    return inbox.unread(user)


@register.simple_tag
def watching(request: HttpRequest, resource: Resource, record: Any) -> Subscription | None:
    """The reader's subscription to this record, if there is one."""
    return subscribing.watching(actor_of(request), resource.path, str(record.pk))


@register.filter
def watchable(resource: Resource) -> bool:
    """Whether anything is ever done to records of this kind that somebody could be told of."""
    return bool(resource.allow) or resource.path in written
