"""JMESPath that people write, within bounds: an expression is short, and what one payload may cost is counted while it is
evaluated, so that none runs for ever or fills the memory. Language: https://jmespath.org/specification.html
"""

from __future__ import annotations

from typing import Any

import jmespath
from jmespath import exceptions, functions
from jmespath.visitor import Options, TreeInterpreter

from watchkeeper.model.errors import Malformed

LENGTH = 2000  # characters of an expression
BUDGET = 2_000_000  # what the expressions of one payload may cost together, in values looked at
_STEP = 20  # one step of an evaluation costs as much as so many values
_TEXT = 16  # characters that cost as much as one value


class WrongExpression(Malformed):
    """An expression that is none, or that this payload makes impossible."""

    reason = "wrong_expression"


class Expression:
    """A JMESPath expression, checked. Raises WrongExpression, which says where it is wrong."""

    def __init__(self, text: str) -> None:
        self.text = text
        if len(text) > LENGTH:
            raise WrongExpression(f"it has {len(text)} characters; at most {LENGTH} are taken")
        try:
            self.tree: dict[str, Any] = jmespath.compile(text).parsed
        except exceptions.LexerError as error:
            raise WrongExpression(f"{error.message} at character {error.lexer_position + 1}") from error
        except exceptions.IncompleteExpressionError as error:
            raise WrongExpression("it ends in the middle") from error
        except exceptions.ParseError as error:
            said = error.msg.removeprefix("Invalid jmespath expression").strip(": ") or "not understood"
            raise WrongExpression(f"{said} at character {error.lex_position + 1}") from error
        except exceptions.JMESPathError as error:
            raise WrongExpression(str(error).strip()) from error
        except (RecursionError, ValueError) as error:
            raise WrongExpression(f"it cannot be read: {type(error).__name__}") from error
        for name in _called(self.tree):
            if name not in _Functions.FUNCTION_TABLE:
                raise WrongExpression(f"there is no function {name}()")


class Evaluation:
    """Evaluates expressions about one payload, which together may cost no more than `budget`."""

    def __init__(self, payload: Any, budget: int = BUDGET) -> None:
        self._interpreter = _Bounded(_Functions(payload), budget)

    def of(self, expression: Expression, value: Any) -> Any:
        """What the expression gives for a value of the payload. Raises WrongExpression."""
        try:
            return self._interpreter.visit(expression.tree, value)
        except exceptions.JMESPathTypeError as error:
            wanted = " or ".join(error.expected_types)
            got = functions.TYPES_MAP.get(error.actual_type, error.actual_type)
            raise WrongExpression(f"{error.function_name}() wants {wanted}, and got {got}") from error
        except exceptions.JMESPathError as error:
            raise WrongExpression(str(error)[:300]) from error
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise WrongExpression(f"it does not work for this payload: {str(error)[:200]}") from error
        except RecursionError as error:
            raise WrongExpression("it goes too deep") from error


class _Functions(functions.Functions):  # type: ignore[misc]
    """JMESPath's own, and `payload()`: all of the payload, also inside a part of it."""

    def __init__(self, payload: Any) -> None:
        self._payload = payload

    @functions.signature()  # type: ignore[untyped-decorator]
    def _func_payload(self) -> Any:
        return self._payload


class _Bounded(TreeInterpreter):  # type: ignore[misc]
    """Charges every step, and every value by the number of values in it: what shares its parts with itself, as in
    `[@,@] | [@,@]`, counts as often as it would be written."""

    def __init__(self, own: _Functions, budget: int) -> None:
        super().__init__(Options(custom_functions=own))
        self._left = budget
        self._weights: dict[int, int] = {}
        self._kept: list[Any] = []  # what was weighed, so that its id stays its own

    def visit(self, node: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """As the interpreter's. Raises WrongExpression when the budget is spent."""
        self._charge(_STEP)
        result = super().visit(node, *args, **kwargs)
        self._charge(self._weight(result))
        return result

    def _charge(self, cost: int) -> None:
        self._left -= cost
        if self._left < 0:
            raise WrongExpression("it takes too much work for this payload", reason="too_much_work")

    def _weight(self, value: Any) -> int:
        match value:
            case str():
                return 1 + len(value) // _TEXT
            case list() | dict():
                known = self._weights.get(id(value))
                if known is None:
                    self._charge(len(value))
                    inner = value.values() if isinstance(value, dict) else value
                    known = 1 + sum(map(self._weight, inner))
                    self._weights[id(value)] = known
                    self._kept.append(value)
                return known
        return 1


def _called(node: Any) -> list[str]:
    """The names of the functions in a tree."""
    found: list[str] = []
    waiting = [node]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if node.get("type") == "function_expression":
                found.append(node["value"])
            waiting.extend(node.get("children", ()))
    return found
