"""What a ClickHouse client says over HTTP, taken apart: who asks, the statement, its parameters and settings,
and the data of an INSERT. Bytes in, values out; it runs nothing."""

from __future__ import annotations

import email
import email.policy
import re
import zlib
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO, Literal
from urllib.parse import parse_qsl, urlsplit

import pyarrow as pa

from watchkeeper.telemetry.engine import DATABASE, QUOTED

MAX_BODY = 256 * 1024 * 1024  # bytes, after decompression
MAX_STATEMENT = 16 * 1024 * 1024
_CHUNK = 1024 * 1024
_CODECS: dict[str, Literal["gzip", "lz4", "zstd", "brotli"]] = {
    "gzip": "gzip", "lz4": "lz4", "zstd": "zstd", "br": "brotli",
}  # fmt: skip

# What the HTTP interface takes for itself; every other name in the URL is a setting of the engine.
_TRANSPORT = frozenset((
    "query", "database", "default_format", "user", "password", "quota_key", "query_id", "role", "compress",
    "decompress", "session_id", "session_timeout", "session_check", "wait_end_of_query", "buffer_size",
    "client_protocol_version", "stacktrace", "send_progress_in_http_headers", "readonly",
    "http_headers_progress_interval_ms", "enable_http_compression",
    "cancel_http_readonly_queries_on_client_close",
))  # fmt: skip

_INSERT = re.compile(
    rb"(?:\s+|--[^\n]*\n|/\*.*?\*/)*(?P<statement>INSERT\s+INTO\b.*?)\bFORMAT\s+(?P<form>\w+)"
    rb"(?:[ \t]*;?[ \t]*\r?\n|[ \t]+|\s*;?\s*\Z)",
    re.I | re.S,
)
_OWN_DATA = re.compile(rb"\b(?:SELECT|VALUES|INFILE)\b", re.I)
_ASIDE = re.compile(QUOTED.pattern + rb"|--[^\n]*|/\*.*?\*/", re.S)
_SECOND = re.compile(rb";\s*[^\s;]")
_FORMAT = re.compile(rb"\bFORMAT\s+(\w+)(?:\s+SETTINGS\b.*)?\s*;?\s*\Z", re.I | re.S)


class BadRequest(Exception):
    """A request that cannot be run, with the HTTP status and the ClickHouse error code to answer."""

    def __init__(self, status: int, code: int, name: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.code, self.text = status, code, f"Code: {code}. DB::Exception: {detail} ({name})"


@dataclass(frozen=True)
class Request:
    """One statement to run. `data` is None unless the statement is an INSERT with data in the format `form`;
    for others `form` is the format of the answer."""

    sql: bytes
    form: str
    data: memoryview | None
    params: dict[str, str]
    settings: dict[str, str]
    database: str
    query_id: str


def credentials(target: str, headers: Mapping[str, str]) -> tuple[str, str]:
    """User and password from basic authentication, ClickHouse's own headers or the URL; empty if none is
    given."""
    scheme, _, coded = headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            user, _, password = b64decode(coded, validate=True).decode().partition(":")
        except ValueError:
            return "", ""
        return user, password
    if "X-ClickHouse-User" in headers:
        return headers["X-ClickHouse-User"], headers.get("X-ClickHouse-Key", "")
    given = _arguments(target)
    return given.get("user", ""), given.get("password", "")


def session(target: str) -> str:
    """The session a request is made in; "" for none."""
    return _arguments(target).get("session_id", "")


def parse(target: str, headers: Mapping[str, str], body: bytes) -> Request:
    """Take a request apart; `body` is decompressed. Raises BadRequest."""
    arguments = _arguments(target)
    if headers.get("Content-Type", "").lower().startswith("multipart/form-data"):
        arguments.update(_form(headers["Content-Type"], body))
        body = b""
    if arguments.get("compress") == "1" or arguments.get("decompress") == "1":
        raise BadRequest(
            501, 48, "NOT_IMPLEMENTED", "ClickHouse's own block compression; use Content-Encoding."
        )
    query = arguments.get("query", "").encode()
    form = arguments.get("default_format") or headers.get("X-ClickHouse-Format") or "TabSeparated"
    sql, data_form, data = _split(query, body)
    if data is None:
        if len(sql) > MAX_STATEMENT:
            raise BadRequest(413, 62, "SYNTAX_ERROR", f"A statement of more than {MAX_STATEMENT} bytes.")
        if not sql.strip():
            raise BadRequest(400, 62, "SYNTAX_ERROR", "Empty query.")
        if _SECOND.search(_ASIDE.sub(b" ", sql)):
            raise BadRequest(400, 62, "SYNTAX_ERROR", "Multi-statements are not allowed.")
    return Request(
        sql, data_form or answer_format(sql, form), data,
        {k[6:]: v for k, v in arguments.items() if k.startswith("param_")},
        {k: v for k, v in arguments.items() if k not in _TRANSPORT and not k.startswith("param_")},
        arguments.get("database") or headers.get("X-ClickHouse-Database") or DATABASE,
        arguments.get("query_id", ""),
    )  # fmt: skip


def answer_format(sql: bytes, default: str) -> str:
    """The output format a statement names at its end, else the default.

    >>> answer_format(b"SELECT 1 FORMAT Native", "TSV"), answer_format(b"SELECT 1", "TSV")
    ('Native', 'TSV')
    """
    found = _FORMAT.search(sql[-4096:])
    return found[1].decode() if found else default


def read_body(stream: BinaryIO, headers: Mapping[str, str]) -> bytes:
    """The whole body, by Content-Length or in chunks, decompressed. Raises BadRequest when it is broken off,
    cannot be decompressed or is larger than MAX_BODY."""
    if headers.get("Transfer-Encoding", "").lower() == "chunked":
        body = _chunked(stream)
    else:
        length = headers.get("Content-Length", "0")
        if not length.isdecimal():
            raise BadRequest(400, 381, "RECEIVED_ERROR_FROM_REMOTE_IO_SERVER", "A bad Content-Length.")
        body = _exactly(stream, _bounded(int(length)))
    return _decompress(body, headers.get("Content-Encoding", "").strip().lower())


def _arguments(target: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(target).query, keep_blank_values=True))


def _split(query: bytes, body: bytes) -> tuple[bytes, str, memoryview | None]:
    """Statement, format and data of an INSERT that carries data; else the whole text, "" and None.
    Query and body are one text, with a line break between, as in ClickHouse."""
    for text, rest in ((query, body), (body[:MAX_STATEMENT], None)):
        found = _INSERT.match(text)
        if found and not _OWN_DATA.search(QUOTED.sub(b"''", found["statement"])):
            data = memoryview(body) if rest is not None else memoryview(body)[found.end() :]
            if rest is not None and found.end() < len(query):
                data = memoryview(query[found.end() :] + body)
            return found["statement"], found["form"].decode(), data
        if query:
            break
    return (query + b"\n" + body if query and body else query or body), "", None


def _form(content_type: str, body: bytes) -> dict[str, str]:
    """The text fields of a multipart form, as long parameters come."""
    head = b"Content-Type: " + content_type.encode("latin-1") + b"\r\n\r\n"
    message = email.message_from_bytes(head + body, policy=email.policy.HTTP)
    fields = {}
    for part in message.iter_parts():
        name = part.get_param("name", header="Content-Disposition")
        content = part.get_payload(decode=True)
        if not isinstance(name, str) or not isinstance(content, bytes):
            raise BadRequest(400, 36, "BAD_ARGUMENTS", "A multipart form that cannot be read.")
        if part.get_filename():
            raise BadRequest(501, 48, "NOT_IMPLEMENTED", "External tables.")
        fields[name] = content.decode()
    return fields


def _bounded(size: int) -> int:
    if size > MAX_BODY:
        # The code of a value that is too large: that of too little memory would say that another time it may do.
        raise BadRequest(413, 131, "TOO_LARGE_STRING_SIZE", f"A body of more than {MAX_BODY} bytes.")
    return size


def _exactly(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) != size:
        raise BadRequest(400, 33, "CANNOT_READ_ALL_DATA", "The body was broken off.")
    return data


def _chunked(stream: BinaryIO) -> bytes:
    parts: list[bytes] = []
    total = 0
    while True:
        line = stream.readline(100).split(b";")[0].strip()
        if not re.fullmatch(rb"[0-9A-Fa-f]{1,12}", line):
            raise BadRequest(400, 33, "CANNOT_READ_ALL_DATA", "The chunks of the body cannot be read.")
        size = int(line, 16)
        if size == 0:
            while stream.readline(8192).strip():  # trailers
                pass
            return b"".join(parts)
        total = _bounded(total + size)
        parts.append(_exactly(stream, size))
        _exactly(stream, 2)


def _decompress(body: bytes, encoding: str) -> bytes:
    if encoding in ("", "identity") or not body:
        return body
    try:
        if encoding == "deflate":
            inflater = zlib.decompressobj()
            out = inflater.decompress(body, MAX_BODY)
            return out if inflater.eof else out[: _bounded(MAX_BODY + 1)]
        codec = _CODECS.get(encoding)
        if codec is None:
            raise BadRequest(501, 48, "NOT_IMPLEMENTED", f"Content-Encoding {encoding!r}.")
        parts: list[bytes] = []
        total = 0
        with pa.CompressedInputStream(pa.BufferReader(body), codec) as source:
            while part := source.read(_CHUNK):
                total = _bounded(total + len(part))
                parts.append(part)
        return b"".join(parts)
    except (OSError, zlib.error) as error:
        raise BadRequest(400, 432, "UNKNOWN_CODEC", f"The body is not {encoding}: {error}") from error
