"""A template filled in: its parts written out, over what it is about. The number of steps is bounded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from watchkeeper.telemetry.rulefiles.templates.functions import Function, call
from watchkeeper.telemetry.rulefiles.templates.go_text import shown
from watchkeeper.telemetry.rulefiles.templates.lexing import BadTemplate
from watchkeeper.telemetry.rulefiles.templates.syntax import (
    Branch,
    Dot,
    Field,
    Literal,
    Loop,
    Output,
    Part,
    Pipeline,
    Term,
    Variable,
)
from watchkeeper.telemetry.rulefiles.templates.syntax import Function as Named
from watchkeeper.telemetry.rulefiles.templates.values import field, true

MAX_STEPS, MAX_TEXT = 20_000, 100_000


class Filling:
    """One filling-in: functions by name, and variables, of which inner blocks have their own."""

    def __init__(self, functions: Mapping[str, Function], variables: Mapping[str, Any]) -> None:
        self._functions = functions
        self._scopes: list[dict[str, Any]] = [dict(variables)]
        self._steps = self._size = 0

    def text(self, parts: Sequence[Part], dot: Any) -> str:
        """What it comes to. Raises BadTemplate."""
        out = []
        for piece in self._parts(parts, dot):
            self._size += len(piece)
            if self._size > MAX_TEXT:
                raise BadTemplate(f"it comes to more than {MAX_TEXT:,} characters")
            out.append(piece)
        return "".join(out)

    def _parts(self, parts: Sequence[Part], dot: Any) -> Iterator[str]:
        for part in parts:
            self._step()
            match part:
                case str():
                    yield part
                case Output(pipeline):
                    found = self._pipeline(pipeline, dot)
                    if not pipeline.variable:
                        yield "<no value>" if found is None else shown(found)
                case Branch():
                    yield from self._branch(part, dot)
                case Loop():
                    yield from self._loop(part, dot)

    def _branch(self, part: Branch, dot: Any) -> Iterator[str]:
        self._scopes.append({})
        found = self._pipeline(part.condition, dot)
        if true(found):
            yield from self._parts(part.then, found if part.rebinds else dot)
        else:
            yield from self._parts(part.otherwise, dot)
        self._scopes.pop()

    def _loop(self, part: Loop, dot: Any) -> Iterator[str]:
        found = self._pipeline(part.over, dot)
        if isinstance(found, Mapping):
            pairs: list[tuple[Any, Any]] = sorted(found.items())
        elif isinstance(found, list):
            pairs = list(enumerate(found))
        else:
            raise BadTemplate(f"range can't iterate over {shown(found)}")
        for index, element in pairs:
            self._step()
            names = dict(
                zip(part.names, (index, element) if len(part.names) > 1 else (element,), strict=False)
            )
            self._scopes.append(names)
            yield from self._parts(part.body, element)
            self._scopes.pop()
        if not pairs:
            yield from self._parts(part.otherwise, dot)

    def _pipeline(self, pipeline: Pipeline, dot: Any) -> Any:
        found: tuple[Any, ...] = ()
        for terms in pipeline.commands:
            self._step()
            found = (self._command(terms, dot, found),)
        if pipeline.declares:
            self._scopes[-1][pipeline.variable] = found[0]
        elif pipeline.variable:
            next(s for s in reversed(self._scopes) if pipeline.variable in s)[pipeline.variable] = found[0]
        return found[0]

    def _command(self, terms: Sequence[Term], dot: Any, piped: tuple[Any, ...]) -> Any:
        first, *others = terms
        if isinstance(first, Named):
            arguments = [self._term(t, dot) for t in others]
            return call(self._functions[first.name], first.name, [*arguments, *piped])
        if others or piped:
            raise BadTemplate("can't give argument to non-function")
        return self._term(first, dot)

    def _term(self, term: Term, dot: Any) -> Any:
        match term:
            case Literal(value):
                return value
            case Dot():
                return dot
            case Variable(name):
                return next(s for s in reversed(self._scopes) if name in s)[name]
            case Field(of, name):
                return field(self._term(of, dot), name)
            case Pipeline():
                return self._pipeline(term, dot)
            case Named(name):
                return call(self._functions[name], name, ())

    def _step(self) -> None:
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise BadTemplate(f"it takes more than {MAX_STEPS:,} steps")
