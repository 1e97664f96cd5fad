"""The wire format of Protocol Buffers: fields out of bytes and bytes out of fields. No schema, no generated code.

Reference: Protocol Buffers encoding (varint, 64-bit, length-delimited and 32-bit fields; groups are not supported).
"""

from collections.abc import Iterator

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_MAX_VARINT_BYTES = 10


class WireFormatError(ValueError):
    """Bytes that are no message: cut off, or of an unknown field type."""


def fields(data: bytes) -> Iterator[tuple[int, int, int | bytes]]:
    """(field number, wire type, value) in order; a varint as unsigned int, everything else as its bytes.

    Raises WireFormatError at the first thing that is no field.
    """
    position, size = 0, len(data)
    while position < size:
        key, position = _varint(data, position)
        number, kind = key >> 3, key & 7
        if number == 0:
            msg = f"field number 0 before byte {position}"
            raise WireFormatError(msg)
        if kind == VARINT:
            value, position = _varint(data, position)
            yield number, kind, value
            continue
        if kind == BYTES:
            length, position = _varint(data, position)
        elif kind in (FIXED64, FIXED32):
            length = 8 if kind == FIXED64 else 4
        else:
            msg = f"field {number} has the wire type {kind}"
            raise WireFormatError(msg)
        if position + length > size:
            msg = f"field {number} ends after the last byte"
            raise WireFormatError(msg)
        yield number, kind, data[position : position + length]
        position += length


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = 0
    for index in range(_MAX_VARINT_BYTES):
        if position + index >= len(data):
            msg = "it ends inside a number"
            raise WireFormatError(msg)
        byte = data[position + index]
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, position + index + 1
    msg = f"the number at byte {position} does not end"
    raise WireFormatError(msg)


def varint_field(number: int, value: int) -> bytes:
    """One field holding an unsigned number of at most 64 bits."""
    return _encode_varint(number << 3 | VARINT) + _encode_varint(value)


def bytes_field(number: int, value: bytes) -> bytes:
    """One length-delimited field: text, bytes or a message."""
    return _encode_varint(number << 3 | BYTES) + _encode_varint(len(value)) + value


def fixed_field(number: int, value: bytes) -> bytes:
    """One field of four or eight bytes, little-endian: a float or a double."""
    kind = FIXED32 if len(value) == 4 else FIXED64
    return _encode_varint(number << 3 | kind) + value


def _encode_varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
