"""/metrics in Prometheus's text format, for whoever has a token that reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import api_view
from rest_framework.request import Request

from watchkeeper.kernel.ports import Metric, ports

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


@extend_schema(exclude=True)
@api_view(["GET"])
def metrics(request: Request) -> HttpResponse:  # noqa: ARG001
    """What app's collectors count."""
    text = "".join(family(m) for collect in ports.collectors for m in collect())
    return HttpResponse(text, content_type=MEDIA_TYPE)


def family(metric: Metric) -> str:
    """One family as text.

    >>> print(family(Metric("up", "gauge", "Lives", [({"door": "a"}, 1.0)])), end="")
    # HELP up Lives
    # TYPE up gauge
    up{door="a"} 1.0
    """
    help_text = metric.help.replace("\\", r"\\").replace("\n", r"\n")
    lines = [f"# HELP {metric.name} {help_text}", f"# TYPE {metric.name} {metric.kind}"]
    lines += [f"{metric.name}{_labels(labels)} {value!r}" for labels, value in metric.samples]
    return "\n".join(lines) + "\n"


def _labels(labels: Mapping[str, str]) -> str:
    pairs: Iterable[str] = (f'{k}="{str(v).translate(_ESCAPES)}"' for k, v in labels.items())
    inner = ",".join(pairs)
    return f"{{{inner}}}" if inner else ""
