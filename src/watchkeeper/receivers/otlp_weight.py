"""How much memory a protobuf body will take as objects, found by walking its wire format: two bytes can make
an empty message of a hundred. It decodes nothing and stops as soon as the body is known to be too heavy.
"""

# numba infers the types of what it compiles
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from functools import cache

import numpy as np
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from numpy.typing import NDArray

from watchkeeper.model.errors import Malformed, TooLarge
from watchkeeper.receivers.wire import U, compiled, varint

SMALL = 384 * 1024  # bytes that cannot become too heavy
LIMIT = 40_000_000
_MESSAGE, _LEAF, _UNKNOWN = (
    120,
    16,
    1,
)  # bytes that upb takes for a message, for a string, for what it does not know
_PACKED = 8  # for each byte of packed numbers
_NUMBERS = 64  # fields with higher numbers are not known
_OPEN = 256  # messages that are walked at once; upb itself follows a hundred
_SOUND, _HEAVY, _BROKEN = 0, 1, 2

Kinds = tuple[NDArray[np.int64], NDArray[np.int64]]
"""By type of message and number of field: what one of it weighs, and the type of message that it is, or -1."""


def weigh_protobuf(body: bytes, root: Descriptor, limit: int = LIMIT) -> None:
    """Raises TooLarge when `body`, a message of type `root`, would take more than about `limit` bytes, and
    Malformed when it is broken. Bodies up to SMALL are let through unread: they cannot."""
    if len(body) <= SMALL:
        return
    outcome = _weigh(np.frombuffer(body, np.uint8), *_kinds(root), limit)
    if outcome == _HEAVY:
        raise TooLarge("the body has too many elements; send it in parts", reason="too_many_elements")
    if outcome == _BROKEN:
        raise Malformed("the body is not valid protobuf")


@cache
def _kinds(root: Descriptor) -> Kinds:
    """Of `root`, which is the first, and every type of message within it."""
    found = [root]
    for kind in found:
        found += (t for t in dict.fromkeys(map(_message, kind.fields)) if t is not None and t not in found)
    weights = np.full((len(found), _NUMBERS), _UNKNOWN)
    types = np.full((len(found), _NUMBERS), -1)
    for row, kind in enumerate(found):
        for field in kind.fields:
            if field.number < _NUMBERS:
                weights[row, field.number] = _weight(field)
                inner = _message(field)
                types[row, field.number] = -1 if inner is None else found.index(inner)
    return weights, types


def _message(field: FieldDescriptor) -> Descriptor | None:
    return field.message_type if field.type == FieldDescriptor.TYPE_MESSAGE else None


def _weight(field: FieldDescriptor) -> int:
    if field.type == FieldDescriptor.TYPE_MESSAGE:
        return _MESSAGE
    text = field.type in (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES)
    return _PACKED if field.is_repeated and not text else _LEAF


@compiled
def _weigh(data, weights, types, limit):
    """Messages are walked to their end, one within another, outermost first."""
    ends, kinds = np.empty(_OPEN, np.uint64), np.empty(_OPEN, np.int64)
    depth, at, weight = 0, U(0), len(data)
    ends[0], kinds[0] = U(len(data)), 0
    while depth >= 0:
        if at >= ends[depth]:
            depth -= 1
            continue
        tag, at, whole = varint(data, at, ends[depth])
        number, wire, size = tag >> U(3), tag & U(7), U(0)
        if wire == U(0) and whole:
            _, at, whole = varint(data, at, ends[depth])
        elif wire == U(2) and whole:
            size, at, whole = varint(data, at, ends[depth])
        elif wire == U(1) or wire == U(5):
            size = U(8) if wire == U(1) else U(4)
        else:
            return _BROKEN
        if not whole or size > ends[depth] - at:
            return _BROKEN
        inner = -1
        if wire == U(2):
            field = number if number < U(_NUMBERS) else U(0)  # 0 is of no field: not known
            each = weights[kinds[depth], field]
            weight += each * np.int64(size) if each == _PACKED else each
            inner = types[kinds[depth], field]
        if weight > limit:
            return _HEAVY
        if inner >= 0:
            depth += 1
            if depth == _OPEN:
                return _BROKEN
            ends[depth], kinds[depth] = at + size, inner
        else:
            at += size
    return _SOUND
