"""Whether the web process can do its work; asked by the front. People and load balancers ask the front."""

from __future__ import annotations

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse

from watchkeeper.kernel.problems import answer


def ready(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """200 when the records answer, else 503."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        return answer(503, "records_away", str(error))
    return HttpResponse("ready\n", content_type="text/plain")
