"""PromQL over the metrics of the store: text in, series with values over steps out. querying.py has the two questions,
parsing.py makes a tree (syntax.py) of the text, evaluating.py works it off from selectors (selecting.py, SQL) upward;
docs/decisions/0004-promql.md says what is SQL and what is not."""

from watchkeeper.telemetry.promql.beside import Beside
from watchkeeper.telemetry.promql.checking import kind_of
from watchkeeper.telemetry.promql.errors import BadQuery, QueryError, TooSlow, Unanswerable
from watchkeeper.telemetry.promql.numbers import all_written, written
from watchkeeper.telemetry.promql.parsing import duration_ms, matchers
from watchkeeper.telemetry.promql.querying import Line, label_sets, newest, query, query_range
from watchkeeper.telemetry.promql.selecting import Limits
from watchkeeper.telemetry.promql.units import unit
from watchkeeper.telemetry.promql.values import Samples, Scalar, Text, Value, Vector

__all__ = [
    "BadQuery", "Beside", "Limits", "Line", "QueryError", "Samples", "Scalar", "Text", "TooSlow", "Unanswerable",
    "Value", "Vector", "all_written", "duration_ms", "kind_of", "label_sets", "matchers", "newest", "query",
    "query_range", "unit", "written",
]  # fmt: skip
