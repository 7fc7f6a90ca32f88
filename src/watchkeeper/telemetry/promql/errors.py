"""Why a query has no answer, in the words Prometheus has for it (`kind` is its errorType)."""

from __future__ import annotations

from watchkeeper.model.errors import WatchkeeperError


class QueryError(WatchkeeperError):
    """A query that is not answered."""

    kind = "bad_data"


class BadQuery(QueryError):
    """It is no PromQL, or asks for what is not supported here."""

    status = 400
    reason = "bad_query"


class Unanswerable(QueryError):
    """It is PromQL, but with these series it has no answer, or too large a one."""

    status = 422
    reason = "unanswerable"
    kind = "execution"


class TooSlow(QueryError):
    """It took longer than a query may."""

    status = 503
    reason = "query_timeout"
    kind = "timeout"
