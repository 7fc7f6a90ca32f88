"""What the OpenAPI description says of every declared kind beyond its views: bulk, entity tags, tables.

It runs after the views have been described, and finds each kind's operations by its path.
"""

from __future__ import annotations

from typing import Any

from watchkeeper.kernel import bulk
from watchkeeper.kernel.resource import Resource, registry
from watchkeeper.kernel.rest import readable

_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "the record's ETag: 412 when it has another version by now",
    "schema": {"type": "string"},
}
_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "an ETag: 304 when the record still has this version",
    "schema": {"type": "string"},
}
_TAG = {"ETag": {"description": "the version of the record", "schema": {"type": "string"}}}
_TABLE = {"schema": {"type": "string", "description": "every record of the list, one a line"}}


def kinds(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A postprocessing hook of drf-spectacular."""
    for resource in registry:
        listed = result["paths"].get(f"/api/{resource.path}/")
        single = result["paths"].get(f"/api/{resource.path}/{{id}}/")
        if listed and single:
            _tables(listed["get"], resource)
            _tags(resource, result["paths"])
            _bulk(resource, listed, single)
        for path in resource.related:
            _tables(result["paths"][f"/api/{resource.path}/{{id}}/{path}/"]["get"], registry[path])
    return result


def _query(name: str, words: str, **schema: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": words, "schema": schema}


def _choosing(resource: Resource) -> list[dict[str, Any]]:
    names = ", ".join(readable(resource))
    return [
        _query("fields", f"show only these, separated by commas: {names}", type="string"),
        _query("omit", "show all but these, separated by commas", type="string"),
    ]


def _tables(listing: dict[str, Any], resource: Resource) -> None:
    words = "csv answers with all records of the list as a table, template as an export template says"
    parameters = [p for p in listing["parameters"] if p["name"] != "format"]
    listing["parameters"] = [
        *parameters,
        *_choosing(resource),
        _query("format", words, type="string", enum=["json", "csv", "template"], default="json"),
        _query("template", "with format=template: the name of the export template", type="string"),
    ]
    listing["responses"]["200"]["content"]["text/csv"] = _TABLE


def _tags(resource: Resource, paths: dict[str, Any]) -> None:
    one = f"/api/{resource.path}/{{id}}/"
    actions = [paths[f"{one}{a.name}/"]["post"] for a in resource.actions]
    writing = [paths[one][m] for m in ("put", "patch", "delete") if m in paths[one]]
    for operation in (*writing, *actions):
        operation.setdefault("parameters", []).append(_MATCH)
    reading = paths[one]["get"]
    reading["parameters"] += [*_choosing(resource), _NONE_MATCH]
    reading["responses"]["304"] = {"description": "This version is known already.", "headers": _TAG}
    for operation in (reading, *(o for o in writing if "200" in o["responses"])):
        operation["responses"]["200"]["headers"] = _TAG


def _bulk(resource: Resource, listed: dict[str, Any], single: dict[str, Any]) -> None:
    if bulk.offers(resource, "create"):
        body = listed["post"]["requestBody"]["content"]["application/json"]
        shown = listed["post"]["responses"]["201"]["content"]["application/json"]
        body["schema"] = {"oneOf": [body["schema"], _many(body["schema"])]}
        shown["schema"] = {"oneOf": [shown["schema"], _many(shown["schema"])]}
    key = single["get"]["parameters"][0]["schema"] if single["get"]["parameters"] else {"type": "string"}
    key = next((p["schema"] for p in single["get"]["parameters"] if p["name"] == "id"), key)
    if "patch" in listed:
        body = listed["patch"]["requestBody"]["content"]["application/json"]
        named = {"type": "object", "required": ["id"], "properties": {"id": key}}
        body["schema"] = _many({"allOf": [body["schema"], named]})
        answer = listed["patch"]["responses"]["200"]["content"]["application/json"]
        answer["schema"] = {"type": "array", "items": answer["schema"]}
    if "delete" in listed:
        content = {"application/json": {"schema": _many(key)}}
        listed["delete"]["requestBody"] = {"required": True, "content": content}


def _many(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": schema, "minItems": 1, "maxItems": bulk.MOST}
