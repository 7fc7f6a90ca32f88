"""NetBox's API, by pynetbox: `address` is where NetBox is, `secret` a token that may read."""

from __future__ import annotations

from collections.abc import Iterator

import pynetbox

from watchkeeper.domains.inventory.asking import Access, Unreadable, asks
from watchkeeper.domains.inventory.asking.http import session
from watchkeeper.domains.inventory.describing import Described
from watchkeeper.domains.inventory.importers.netbox import ENDPOINTS, Record, described

PAGE = 500


@asks("netbox")
def ask(access: Access) -> Iterator[Described]:
    """Everything that the inventory has a kind for. Raises Unreadable."""
    with session(access) as http:
        api = pynetbox.api(access.address, token=access.secret)
        api.http_session = http
        found: list[Record] = []
        for name in ENDPOINTS:
            app, _, endpoint = name.partition("/")
            try:
                records = getattr(getattr(api, app), endpoint.replace("-", "_")).all(limit=PAGE)
                found += [dict(record) for record in records]
            except (pynetbox.RequestError, pynetbox.ContentError) as error:
                raise Unreadable(f"NetBox, {name}: {error}") from error
    return described(found)
