"""A shape as tokens: which of its words are fixed, which are values, and which are spelt like values.

Works on shapes only (see shape.py), a few microseconds each, and only when a shape is new.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

V = "\x01"
"""The mark of a value, in shapes and in tokens."""

MAX_TOKENS = 256


def _address(found: re.Match[str]) -> str:
    """An IPv6 address becomes a value; a time of the day, or what has no value in it, stays."""
    text = found[0]
    colons = text.count(":")
    return V if V in text and (colons >= 4 or (colons >= 2 and "::" in text)) else text


_DAYS = "Mon|Tue|Wed|Thu|Fri|Sat|Sun|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_LINE: tuple[
    tuple[str, re.Pattern[str], str | Callable[[re.Match[str]], str]], ...
] = (  # what it needs, what it is, what it becomes
    # UUID: five groups of which most are marked already
    ("-", re.compile(r"(?<![\w\x01])(?:\x01|[0-9a-fA-F]{4})(?:-(?:\x01|[0-9a-fA-F]{4})){4}(?![\w\x01-])"), V),
    # a time as ISO 8601 writes it
    (
        "\x01-\x01-\x01T",
        re.compile(r"\x01-\x01-\x01T(?:\x01|\d\d):\x01(?::\x01)?(?:[.,]\x01)?(?:Z\b|[+-]\x01(?::\x01)?)?"),
        V,
    ),
    # hardware address
    (":\x01:\x01:", re.compile(r"\x01(?::\x01){5,}"), V),
    # IPv6: four groups or more, or an empty one
    (
        ":",
        re.compile(
            r"(?<![\w:\x01])(?:(?:[0-9a-f]{1,4}|\x01[0-9a-f]{0,3})?:){2,7}(?:[0-9a-f]{1,4}\b|\x01)?(?![\w:])"
        ),
        _address,
    ),
    # IPv4
    ("\x01.\x01.\x01.\x01", re.compile(r"(?<![\w\x01.])\x01\.\x01\.\x01\.\x01(?![\w\x01]|\.\x01)"), V),
    # day and month names before another part of a date
    ("", re.compile(rf"\b(?:{_DAYS})\b(?=[ ,]+(?:\x01|{_DAYS}))"), V),
    # v1.\x01: a version
    (".\x01", re.compile(r"\b([vV])\d{1,2}(?=\.\x01)"), r"\1" + V),
    # a number with decimals, but no part of a version or a name
    ("\x01.\x01", re.compile(r"(?<![\w.\x01])(?<!\x01:)\x01\.\x01(?![.\x01]?[\w\x01])"), V),
    # the sign of a number
    ("-\x01", re.compile(r"(?:(?<=[ =(,:_\[])|^)-(?=\x01)"), ""),
    # number and unit in one word
    (V, re.compile(r"\x01(?:[KMGTkmg]i?[Bb]?|[bB]|ms|us|ns|s|m|h|[MG][Hh]z)\b"), V),
    # words with nothing but commas between them: a list, however long it is
    (",", re.compile(r"(?:(?<=[ =\[(\"'])|^)(?:[\w\x01.-]{1,64},){1,63}[\w\x01.-]{1,64}(?=[ \])\"';]|$)"), V),
    ("[\x01, ", re.compile(r"(?<=\[)\x01(?:, \x01)+(?=\])"), V),
    # numbers with commas and spaces between them, three or more
    ("\x01, \x01, ", re.compile(r"\x01(?:, \x01){2,}(?=[ \])\"';]|$)"), V),
    # an empty remark is a remark whose value is missing
    ("()", re.compile(r"(?<= )\(\)(?= |$)"), f"({V})"),
)
SEPARATORS = frozenset(" =:,;()[]{}<>\"'|#.")
_SPLIT = re.compile(r"([ =:,;()\[\]{}<>\"'|#]|(?<=[\w\x01])\.(?= |$))")
_BOOLEANS = frozenset(("true", "false", "True", "False", "TRUE", "FALSE"))
UNIT = "\x03"
"""The key of a unit that follows a value."""
_UNITS = frozenset(("B", "kB", "KB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "TiB"))
DIGITS = re.compile(r"\d+")
_IDENTIFIER = re.compile(r"[^\W\d][\w\x01]*(?:[-_][\w\x01-]*)")
_TAIL = re.compile(r"\x01.*\x01")
_NAME = re.compile(r"[A-Za-z\d\x01_-]+(?:\.[A-Za-z\d\x01_-]+)+\.?")
_TOP = frozenset(
    ("com", "net", "org", "edu", "gov", "mil", "int", "info", "biz",
     "local", "localdomain", "internal", "lan", "intra", "corp")
)  # fmt: skip


def tokens(shape: str) -> tuple[list[str], list[str]]:
    """Split a shape into tokens, separators included; joined again they give the wording.

    Returns two lists of one length: the key, in which everything spelt like a value is V, and the literals,
    which keep what may turn out to be fixed (`ssh2`, `KB`).

    >>> tokens("Accepted password for root from \\x01.\\x01.\\x01.\\x01 port \\x01 ssh2")[0][-5:]
    ['port', ' ', '\\x01', ' ', 'ssh\\x01']
    """
    for need, pattern, by in _LINE:
        if need in shape:
            shape = pattern.sub(by, shape)
    key: list[str] = []
    literals: list[str] = []
    for token in _SPLIT.split(shape):
        if not token:
            continue
        if token in SEPARATORS:
            key.append(token)
            literals.append(token)
            if token == ")":
                _fold_remark(key, literals)
            continue
        if len(key) >= MAX_TOKENS:
            break
        k, literal = _classify(token)
        if token in _UNITS and key[-1:] == [" "] and key[-2:-1] and key[-2].endswith(V):
            k = UNIT
        if k == V and token[0] == "\\" and key[-1:] == [":"] and re.fullmatch("[A-Za-z]", key[-2]):
            del key[-2:], literals[-2:]  # the drive of a path
        if _repeats(k, key):
            key.pop()
            literals.pop()
            if literals[-1] != literal:
                literals[-1] = V
            continue
        key.append(k)
        literals.append(literal)
    return key[:MAX_TOKENS], literals[:MAX_TOKENS]


@lru_cache(maxsize=1 << 14)
def _classify(token: str) -> tuple[str, str]:
    """Key and literal of one token."""
    if token == " ":
        return " ", " "
    if token in _BOOLEANS:
        return V, token
    marked = V in token
    if marked or DIGITS.search(token):
        if is_host(token):
            return V, V
        key = DIGITS.sub(V, token)
        if key == "//" + V:  # what follows hdfs:
            return key, token
        if key.count("/") >= 2 or key.count("\\") >= 2:
            return V, V
        if _IDENTIFIER.fullmatch(token):
            # blk_1, part-00590, task_2017_m_3: the first word names the type, the rest is the value
            return V, _TAIL.sub(V, token)
        return key, token
    if token.count("/") >= 3 or token.count("\\") >= 2 or is_host(token):
        return V, V
    return token, token


def _fold_remark(key: list[str], literals: list[str]) -> None:
    """A remark in brackets that holds nothing but values, such as "(1.5 KB)", goes to the word before it: with
    it or without it, it is the same message."""
    begin = len(key) - 2
    while begin > 1 and (V in key[begin] or key[begin] in (" ", UNIT)) and len(key) - begin < 8:
        begin -= 1
    if key[begin] != "(" or begin < 2 or key[begin - 1] != " " or begin == len(key) - 2:
        return
    if key[begin - 2] in SEPARATORS:
        return
    literals[begin - 2] += "".join(literals[begin - 1 :])
    del key[begin - 1 :], literals[begin - 1 :]


def _repeats(k: str, key: list[str]) -> bool:
    """Whether a value follows the same value with only a space between: a list, however long it is."""
    return k != " " and V in k and len(key) >= 2 and key[-1] == " " and key[-2] == k


def is_host(token: str) -> bool:
    """Whether a token is spelt like the full name of a host: ends in a top-level domain, or has dots and
    digits in lower case. Names of classes and files are not.

    >>> [is_host(x) for x in ("ns.example.com", "1-2.example-isp.net", "java.lang.String", "core.\\x01")]
    [True, True, False, False]
    """
    if "." not in token or not _NAME.fullmatch(token):
        return False
    labels = token.rstrip(".").split(".")
    if labels[-1].lower() in _TOP or (len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _TOP):
        return True
    values = V in token or DIGITS.search(token) is not None
    words = any(len(x) >= 2 and x.isalpha() for x in labels)
    return values and words and len(labels) >= 3 and token == token.lower()


def is_word(token: str) -> bool:
    """Whether a token is a fixed word, with a letter in it."""
    return token.isalpha() or any(c.isalpha() for c in token)
