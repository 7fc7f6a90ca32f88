"""Values as Go's fmt writes them: print, println and printf with its verbs."""

from __future__ import annotations

import json
import math
import re
from decimal import Decimal
from typing import Any

from watchkeeper.telemetry.rulefiles.templates.lexing import BadTemplate

_VERB = re.compile(r"%([+\-# 0]*)(\d+|\*)?(?:\.(\d*))?(.)?", re.S)
_WIDEST = 200  # characters, of a width or precision


def shown(value: Any) -> str:
    """`%v`."""
    match value:
        case bool():
            return "true" if value else "false"
        case None:
            return "<nil>"
        case float():
            return number(value)
        case dict():
            return f"map[{' '.join(f'{shown(k)}:{shown(v)}' for k, v in sorted(value.items()))}]"
        case list():
            return f"[{' '.join(map(shown, value))}]"
    return str(value)


def number(value: float) -> str:
    """A float64: the shortest decimal, with an exponent below 1e-4 and from 1e6 on, as in `%v`.

    >>> [number(x) for x in (1.0, 0.25, 123456.0, 1e6, 1234567.5, 0.0001, 1e-5, math.inf)]
    ['1', '0.25', '123456', '1e+06', '1.2345675e+06', '0.0001', '1e-05', '+Inf']
    """
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
    digits = max(1, len(Decimal(repr(value)).normalize().as_tuple().digits))
    head, _, exponent = f"{value:.{digits - 1}e}".partition("e")
    if -4 <= int(exponent) < 6:
        return f"{value:.{max(0, digits - 1 - int(exponent))}f}"
    return f"{head}e{int(exponent):+03d}"


def four_digits(value: float) -> str:
    """`%.4g`."""
    return number(value) if not math.isfinite(value) else f"{value:.4g}"


def printf(pattern: str, *values: Any) -> str:
    """As Go's, with its marks for what does not fit, such as `%!d(float64=1.5)`. Raises BadTemplate for a width that is
    too large."""
    left = list(values)

    def one(found: re.Match[str]) -> str:
        flags, width, precision, verb = found.groups()
        if verb is None:
            return "%!(NOVERB)"
        if verb == "%":
            return "%"
        if width == "*":
            raise BadTemplate("printf: a width from an argument, *, is not supported")
        if max(int(width or 0), int(precision or 0)) > _WIDEST:
            raise BadTemplate(f"printf: {found[0]!r} is wider than {_WIDEST} characters")
        if not left:
            return f"%!{verb}(MISSING)"
        return _padded(_verb(left.pop(0), verb, flags, precision), flags, int(width or 0))

    out = _VERB.sub(one, pattern)
    if left:
        out += f"%!(EXTRA {', '.join(f'{_type(v)}={shown(v)}' for v in left)})"
    return out


def _padded(text: str, flags: str, width: int) -> str:
    if "-" in flags:
        return text.ljust(width)
    numeric = text.lstrip("+- ")[:1].isdigit()
    return text.zfill(width) if "0" in flags and numeric else text.rjust(width)


def _verb(value: Any, verb: str, flags: str, precision: str | None) -> str:
    digits = None if precision is None else int(precision or 0)
    plus = "+" if "+" in flags else " " if " " in flags else ""
    is_int = isinstance(value, int) and not isinstance(value, bool)
    if verb == "v":
        return (
            f"{value:{plus}.{digits}g}" if isinstance(value, float) and digits is not None else shown(value)
        )
    if verb == "T":
        return _type(value)
    if verb == "t" and isinstance(value, bool):
        return shown(value)
    if isinstance(value, float) and verb in "eEfFgG":
        if not math.isfinite(value):
            text = number(value)
            return plus + text.removeprefix("+") if plus and text != "-Inf" else text
        if verb in "gG" and digits is None:
            return number(value)
        return f"{value:{plus}.{6 if digits is None else digits}{verb}}"
    if is_int and verb in "dxXobc":
        return chr(value) if verb == "c" else f"{value:{plus}{verb}}"
    if isinstance(value, str) and verb in "sqxX":
        text = value if digits is None else value[:digits]
        if verb == "s":
            return text
        return json.dumps(text, ensure_ascii=False) if verb == "q" else format(text.encode().hex(), "")
    return f"%!{verb}({_type(value)}={shown(value)})"


def _type(value: Any) -> str:
    names = {bool: "bool", int: "int", float: "float64", str: "string", type(None): "<nil>"}
    return names.get(type(value), "map[string]string" if isinstance(value, dict) else "interface {}")
