"""What docs/reference/api.md says, from the declarations: `python -m watchkeeper.api > docs/reference/api.md`. A test
holds the page equal to it."""

from __future__ import annotations

from collections.abc import Iterator

from watchkeeper.domains.access.facts import called
from watchkeeper.kernel.lists import MAX_LIMIT, Pages, filters_of
from watchkeeper.kernel.resource import Resource, registry

_HEAD = f"""# The REST API

This page is made from the declarations of the kinds of record; the same as OpenAPI 3.1 is at `/api/schema/`.

- `Authorization: Bearer TOKEN`; see [API tokens](../how-to/api-tokens.md). Without one the answer is 401, and 403
  where it may not do this: the problem names `action` and `kind`, and `because` says why.
- A list answers `{{"count", "next", "previous", "results"}}`. `limit` (at most {MAX_LIMIT}, by default
  {Pages.default_limit}) and `offset` choose the page, `ordering` takes fields separated by commas, `-` for
  descending, `search` takes words that must all occur. A parameter that a list does not know is an error.
- `fields` and `omit` take fields separated by commas, in lists and of single records. `cursor=` asks for pages
  that new records do not shift: follow `next`; there is a count with `count=true`. `format=csv` gives all records
  of the list as a table.
- A body may hold what may be sent, and what the record has already; anything else is an error that names the
  field. `PUT` takes the whole record, `PATCH` a part of it.
- A single record has an `ETag`. `If-None-Match` answers 304; `If-Match` on `PUT`, `PATCH`, `DELETE` and actions
  answers 412 once the record has changed.
- At the address of the list, `POST` takes a list of records, `PATCH` a list of objects with `id`, `DELETE` a list
  of ids: at most MOST and all or none. `errors` names the row, from 0, and the field.
  See [working with records](../how-to/rest.md).
- Records of every kind also have `tags` (names) and `custom_fields` (an object), which may be sent where the kind can
  be made or changed; `PUT` leaves them as they are when they are not named. Lists take `tag`, `tag__any` and
  `cf_NAME` with `__gte`, `__lte`, `__gt`, `__lt`, `__icontains`, `__in`, `__isnull`.
  See [tags, custom fields, notes, links and files](../how-to/annotations.md).
- Errors are [RFC 9457](https://www.rfc-editor.org/rfc/rfc9457) problem details, `application/problem+json`.
  Programs tell them apart by `type`.
- Times are ISO 8601 in UTC. A filter that ends in `__in` takes values separated by commas, one that ends in
  `__isnull` takes `true` or `false`.
- What people do to alerts and situations goes through the journal. The answer is 200 once it is applied; 202
  when that takes longer than two seconds, and it will be applied.

Beside these: `/api/annotations/KIND/ID/` (tags and custom fields also of records that are not changed otherwise),
`/api/files/upload/` and `/api/files/ID/content/`, `/api/access/explain` and `/api/access/who`
([who may what, and why](../how-to/access.md)), `/api/dead-letters/` (list, one with its payload, `replay/`),
`/api/inbox/` and `/api/subscriptions/` ([what you watch](../how-to/inbox.md)), `/api/bookmarks/` and
`/api/bookmarks/KIND/ID/` ([yours](../how-to/annotations.md)), `/api/event-rules/try/`
([event rules](../how-to/event-rules.md)), `/api/grouping-rules/try/`
([grouping rules](../how-to/correlation-rules.md)), `/api/search/` ([search](../how-to/rest.md)),
Prometheus' API for its readers (`/api/v1/query`, `/api/v1/query_range`, `/api/v1/series`, `/api/v1/labels` …:
[PromQL](../how-to/promql.md)), `/metrics` for Prometheus, and
Alertmanager's API v2 for its readers: `/api/v2/alerts`, `/api/v2/alerts/groups`,
`/api/v2/silences`, `/api/v2/silence/ID`, `/api/v2/status`, `/api/v2/receivers`.
"""


def page() -> str:
    """The whole page."""
    from watchkeeper.kernel import bulk  # needs Django to be ready

    head = _HEAD.replace("MOST", str(bulk.MOST))
    return "\n".join([head, *(line for r in sorted(registry, key=lambda r: r.path) for line in _kind(r))])


def _kind(resource: Resource) -> Iterator[str]:
    yield f"## /api/{resource.path}/\n"
    yield f"{resource.description}\n"
    scopes = f"Read with scope `{resource.read_scope.name.lower()}`"
    verbs = [v for v in ("create", "change", "remove") if v in resource.allow]
    if verbs:
        scopes += f"; {', '.join(verbs)} with `{resource.write_scope.name.lower()}`"
    from watchkeeper.kernel import bulk

    many = [v for v in verbs if bulk.offers(resource, v)]
    yield f"{scopes}{'; many at once: ' + ', '.join(many) if many else ''}.\n"
    yield f"- fields: {_names(resource.fields)}"
    if resource.create_only or resource.writable:
        yield f"- may be sent: {_names(resource.writable)}" + (
            f"; only on creation: {_names(resource.create_only)}" if resource.create_only else ""
        )
    yield f"- filters: {_names(sorted(filters_of(resource).base_filters))}"
    orders = {*resource.orderable, *(n.lstrip("-") for n in resource.ordering)}
    yield f"- ordering: {_names(sorted(orders))}"
    if resource.search:
        yield f"- search looks in: {_names(resource.search)}"
    if resource.policy_attributes:
        yield f"- policies may ask about: {_names(called(p) for p in resource.policy_attributes)}"
    for path in resource.related:
        yield f"- `GET /api/{resource.path}/ID/{path}/`: the {path} that belong to it"
    for action in resource.actions:
        taken = f", taking {_names(action.fields().fields)}" if action.fields else ""  # type: ignore[attr-defined]
        yield f"- `POST /api/{resource.path}/ID/{action.name}/`: {action.label.lower()}{taken}"
    yield ""


def _names(names: object) -> str:
    return ", ".join(f"`{n}`" for n in names) or "none"  # type: ignore[attr-defined]
