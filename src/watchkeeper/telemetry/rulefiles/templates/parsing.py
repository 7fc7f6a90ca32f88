"""Pieces to tree, with the grammar of Go's text/template. What it has and is not supported here is refused by name."""

from __future__ import annotations

from collections.abc import Collection

from watchkeeper.telemetry.rulefiles.templates.lexing import BadTemplate, Word, pieces
from watchkeeper.telemetry.rulefiles.templates.syntax import (
    Branch,
    Dot,
    Field,
    Function,
    Literal,
    Loop,
    Output,
    Part,
    Pipeline,
    Term,
    Variable,
)

MAX_DEPTH = 50
_UNSUPPORTED = ("define", "template", "block", "break", "continue")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_CONSTANTS = {"true": True, "false": False, "nil": None}


def parse(text: str, functions: Collection[str], variables: Collection[str]) -> list[Part]:
    """The parts of a template that uses only these functions, and these variables beside its own. Raises BadTemplate."""
    reader = _Reader(list(pieces(text)), functions, [set(variables)])
    out, end = reader.block()
    if end:
        raise BadTemplate(f"unexpected {{{{{end}}}}}")
    return out


class _Reader:
    def __init__(
        self, pieces: list[str | list[Word]], functions: Collection[str], scopes: list[set[str]]
    ) -> None:
        self._pieces, self._functions, self._scopes = pieces[::-1], functions, scopes

    def block(self) -> tuple[list[Part], str]:
        """Parts up to `end` or `else` and which it was; "" at the end of the text."""
        out: list[Part] = []
        if len(self._scopes) > MAX_DEPTH:
            raise BadTemplate(f"it is nested more than {MAX_DEPTH} deep")
        while self._pieces:
            piece = self._pieces.pop()
            if isinstance(piece, str):
                if piece:
                    out.append(piece)
                continue
            word = piece[0].text if piece and piece[0].kind == "name" else ""
            if word in _UNSUPPORTED:
                raise BadTemplate(f"{{{{{word}}}}} is not supported in templates")
            if word == "end" and len(piece) == 1:
                return out, "end"
            if word == "else":
                return out, " ".join(w.text for w in piece) if len(piece) == 1 else self._else_if(piece)
            if word in ("if", "with"):
                out.append(self._branch(piece, word))
            elif word == "range":
                out.append(self._loop(piece))
            else:
                out.append(Output(self._whole(piece)))
        return out, ""

    def _else_if(self, piece: list[Word]) -> str:
        """`else if` is an if within else that ends with it."""
        if piece[1].text != "if":
            raise BadTemplate(f"unexpected {piece[1].text!r} after else")
        self._pieces.append(piece[1:])
        return "else if"

    def _branch(self, piece: list[Word], word: str) -> Branch:
        self._scopes.append(set())
        condition = self._whole(piece[1:])
        then, otherwise = self._bodies(word)
        self._scopes.pop()
        return Branch(condition, then, otherwise, word == "with")

    def _loop(self, piece: list[Word]) -> Loop:
        self._scopes.append(set())
        names, rest = [], piece[1:]
        signs = [w.text for w in rest[:4]]
        if ":=" in signs:
            cut = signs.index(":=")
            names = [w.text for w in rest[:cut] if w.text != ","]
            rest = rest[cut + 1 :]
            if not 1 <= len(names) <= 2 or not all(n.startswith("$") for n in names):
                raise BadTemplate("range takes one or two variables")
        over = self._whole(rest)
        self._scopes[-1].update(names)
        body, otherwise = self._bodies("range")
        self._scopes.pop()
        return Loop(over, body, otherwise, tuple(names))

    def _bodies(self, word: str) -> tuple[list[Part], list[Part]]:
        then, end = self.block()
        otherwise: list[Part] = []
        if end == "else if":
            nested = self._pieces.pop()
            assert isinstance(nested, list), "else if puts it there"
            return then, [self._branch(nested, "if")]
        if end == "else":
            otherwise, end = self.block()
        if end != "end":
            raise BadTemplate(f"{{{{{word}}}}} is not closed by {{{{end}}}}")
        return then, otherwise

    def _whole(self, words: list[Word]) -> Pipeline:
        found, rest = self._pipeline(words, 0)
        if rest:
            raise BadTemplate(f"unexpected {rest[0].text!r}")
        return found

    def _pipeline(self, words: list[Word], depth: int) -> tuple[Pipeline, list[Word]]:
        if depth > MAX_DEPTH:
            raise BadTemplate(f"it is nested more than {MAX_DEPTH} deep")
        variable, declares = "", False
        if len(words) > 1 and words[0].kind == "variable" and words[1].text in (":=", "="):
            variable, declares, words = words[0].text, words[1].text == ":=", words[2:]
        commands: list[tuple[Term, ...]] = []
        while True:
            terms: list[Term] = []
            while (words and words[0].text not in ("|", ")")) or (words and words[0].kind == "string"):
                term, words = self._term(words, depth)
                terms.append(term)
            if not terms:
                raise BadTemplate("a value is missing in {{ }}")
            commands.append(tuple(terms))
            if not words or words[0].text != "|":
                break
            words = words[1:]
        self._declare(variable, declares)
        return Pipeline(tuple(commands), variable, declares), words

    def _declare(self, variable: str, declares: bool) -> None:
        if declares:
            self._scopes[-1].add(variable)
        elif variable:
            self._known(variable)

    def _known(self, variable: str) -> None:
        if not any(variable in scope for scope in self._scopes):
            raise BadTemplate(f"undefined variable {variable!r}")

    def _term(self, words: list[Word], depth: int) -> tuple[Term, list[Word]]:
        word, words = words[0], words[1:]
        term: Term
        if word.text == "(" and word.kind == "sign":
            term, words = self._pipeline(words, depth + 1)
            if not words or words[0].text != ")":
                raise BadTemplate("a bracket ( is not closed")
            words = words[1:]
        else:
            term = self._single(word)
        while words and words[0].kind == "field" and not words[0].after:
            term, words = Field(term, words[0].text[1:]), words[1:]
        return term, words

    def _single(self, word: Word) -> Term:
        match word.kind:
            case "string":
                return Literal(_string(word.text))
            case "char":
                return Literal(ord(_string(f'"{word.text[1:-1]}"')))
            case "number":
                return Literal(_number(word.text))
            case "variable":
                self._known(word.text)
                return Variable(word.text)
            case "field":
                return Field(Dot(), word.text[1:])
            case "name":
                return self._name(word.text)
        if word.text == ".":
            return Dot()
        raise BadTemplate(f"unexpected {word.text!r}")

    def _name(self, name: str) -> Term:
        if name in _CONSTANTS:
            return Literal(_CONSTANTS[name])
        if name not in self._functions:
            raise BadTemplate(f"the function {name!r} is not supported in templates")
        return Function(name)


def _number(text: str) -> int | float:
    try:
        return int(text, 0)
    except ValueError:
        return float(text) if not text.lstrip("+-").isdecimal() else int(text, 8)


def _string(text: str) -> str:
    if text[0] == "`":
        return text[1:-1]
    out, i, body = [], 0, text[1:-1]
    while i < len(body):
        if body[i] != "\\":
            out.append(body[i])
            i += 1
            continue
        mark = body[i + 1]
        size = {"x": 2, "u": 4, "U": 8}.get(mark, 0)
        digits = body[i + 2 : i + 2 + size]
        try:
            out.append(chr(int(digits, 16)) if size else _ESCAPES.get(mark, mark))
        except ValueError as error:
            raise BadTemplate(f"\\{mark}{digits} is no character") from error
        i += 2 + size
    return "".join(out)
