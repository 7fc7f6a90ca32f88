"""`?format=template&template=<name>`: a list written as an export template says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse, QueryDict
from rest_framework.renderers import JSONRenderer

from watchkeeper.domains.lists import templates
from watchkeeper.kernel.acting import Actor
from watchkeeper.kernel.problems import BadQuery
from watchkeeper.kernel.resource import Resource


class Templated(JSONRenderer):
    """Makes lists answer to `?format=template`; only a problem is ever rendered by it."""

    media_type = "application/vnd.watchkeeper.template"
    format = "template"


def without(parameters: QueryDict) -> QueryDict:
    """The parameters that narrow the list. Raises BadQuery for a template that is not asked for."""
    if "template" not in parameters:
        return parameters
    if parameters.get("format") != Templated.format:
        raise BadQuery("template goes with format=template", "template")
    left = parameters.copy()
    del left["template"]
    return left


def answer(
    resource: Resource, actor: Actor, found: QuerySet[Any], parameters: Mapping[str, str]
) -> HttpResponse:
    """The file. Raises BadQuery, BadTemplate or TooLarge."""
    template = templates.template_of(resource, actor, parameters.get("template", ""))
    text = templates.written(template, resource, found)
    headers = {"Content-Disposition": f'attachment; filename="{template.file_name}"'}
    return HttpResponse(text, content_type=templates.content_type(template), headers=headers)
