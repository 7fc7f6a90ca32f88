"""How much memory a protobuf body will take as objects, found by walking its wire format: two bytes can make
an empty message of a hundred. It decodes nothing and stops as soon as the body is known to be too heavy.
"""

from __future__ import annotations

from functools import cache

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from watchkeeper.model.errors import Malformed, TooLarge

SMALL = 384 * 1024  # bytes that cannot become too heavy
LIMIT = 40_000_000
_MESSAGE, _LEAF = 120, 16  # bytes that upb takes for a message and for a string
_PACKED = 8  # for each byte of packed numbers

_Fields = dict[int, "tuple[int, Descriptor | None]"]


def weigh_protobuf(body: bytes, root: Descriptor, limit: int = LIMIT) -> None:
    """Raises TooLarge when `body`, a message of type `root`, would take more than about `limit` bytes, and
    Malformed when it is broken. Bodies up to SMALL are let through unread: they cannot."""
    if len(body) <= SMALL:
        return
    weight = len(body)
    todo: list[tuple[int, int, Descriptor]] = [(0, len(body), root)]
    try:
        while todo:
            at, end, kind = todo.pop()
            fields = _fields(kind)
            while at < end:
                tag, at = _varint(body, at)
                wire = tag & 7
                if wire == 2:
                    size, at = _varint(body, at)
                    cost, child = fields.get(tag >> 3, (1, None))
                    weight += cost if cost != _PACKED else cost * size
                    if child is not None and size:
                        todo.append((at, at + size, child))
                    at += size
                elif wire == 0:
                    _, at = _varint(body, at)
                elif wire in (1, 5):
                    at += 8 if wire == 1 else 4
                else:
                    raise Malformed("the body is not valid protobuf")
                if weight > limit:
                    raise TooLarge(
                        "the body has too many elements; send it in parts", reason="too_many_elements"
                    )
    except IndexError as error:
        raise Malformed("the body is not valid protobuf: it ends in the middle") from error


@cache
def _fields(kind: Descriptor) -> _Fields:
    """Field number → what one of it weighs, and its type when it is a message."""
    out: _Fields = {}
    for field in kind.fields:
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            out[field.number] = (_MESSAGE, field.message_type)
        else:
            packed = field.is_repeated and field.type not in (
                FieldDescriptor.TYPE_STRING,
                FieldDescriptor.TYPE_BYTES,
            )
            out[field.number] = (_PACKED if packed else _LEAF, None)
    return out


def _varint(body: bytes, at: int) -> tuple[int, int]:
    byte = body[at]
    at += 1
    if byte < 128:
        return byte, at
    value, shift = byte & 127, 7
    while shift < 70:
        byte = body[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
    raise Malformed("the body is not valid protobuf: a number is too long")
