"""The template miner: lines in, template ids out; streaming, bounded, one configuration for all sources.

A line's shape (shape.py) is looked up in a table; only a shape not seen before is split into tokens
(words.py) and given a template (groups.py). Ids are 64-bit hashes of a template's first key: the same
lines give the same ids in every process. When two templates turn out to be one, the older id stays and
`canonical` maps the other to it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from watchkeeper.analysis.templates.corrections import Corrections, common
from watchkeeper.analysis.templates.groups import Group, Groups, template_id, wording
from watchkeeper.analysis.templates.shape import ShapeTable, shapes
from watchkeeper.analysis.templates.words import is_word, tokens
from watchkeeper.model.log_corrections import TemplateCorrection

VERSION = "shape-words-2"
MAX_TEMPLATES = 20_000
MAX_TOKENS_KEPT = 600_000  # over all templates
UPGRADED = ("shape-words-1",)  # read anew by the rules of now; ids stay
_EMPTY = 2**31 - 1  # code of the empty shape


class TemplateMiner:
    """Learns templates from log lines. Not for several threads at once: see Templater.

    >>> miner = TemplateMiner()
    >>> ids = miner.learn(["took 3 ms", "took 12 ms", "gave up"])
    >>> bool(ids[0] == ids[1] != ids[2]), miner.text(int(ids[0]))
    (True, 'took <*> ms')
    """

    def __init__(self) -> None:
        # The seed only keeps outsiders from aiming at slots of the table; no answer depends on it.
        self._table = ShapeTable(seed=int.from_bytes(os.urandom(8), "little"))
        self.fresh: list[bytes] = []  # shapes that the last call of `learn` saw for the first time
        self._groups = Groups()
        self._corrections = Corrections()
        self._redirected: dict[int, int] = {}  # codes that people take for others
        self._splits: dict[int, int] = {}  # codes that people take for several → the token that tells
        self._ids = np.empty(0, np.uint64)  # by code, of what the code has become
        self._codes: dict[int, int] = {}
        self._aliases: dict[int, int] = {}
        self._merges = 0  # of the groups, when codes were last numbered
        self._tokens = 0
        self._lines = 0

    def __len__(self) -> int:
        """Templates known now."""
        return len(set(self._ids.tolist()))

    def learn(self, bodies: Sequence[str]) -> NDArray[np.uint64]:
        """Template ids of these messages in order; messages of a new shape are learned from.

        An empty message has the id 0 and no template.
        """
        text = "".join(bodies)
        data = text.encode("utf-8", "replace")
        lengths = np.fromiter(map(len, bodies), np.int64, len(bodies))
        if len(data) != len(text):  # characters of several bytes
            lengths = np.array([len(body.encode("utf-8", "replace")) for body in bodies], np.int64)
        ends = np.cumsum(lengths)
        return self.learn_bytes(np.frombuffer(data, np.uint8), ends - lengths, ends)

    def learn_bytes(
        self, data: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]
    ) -> NDArray[np.uint64]:
        """As `learn`, for messages that lie as UTF-8 at data[starts[i]:ends[i]]."""
        if not len(starts):
            return np.empty(0, np.uint64)
        found = shapes(data, starts, ends, self._table)
        codes = found.codes
        fresh: dict[int, int] = {}
        self.fresh = []
        for i in np.flatnonzero(codes < 0).tolist():
            h = int(found.hashes[i])
            code = fresh.get(h)
            if code is None:
                shape = found.of(i)
                code = fresh[h] = self._place(shape)
                self.fresh.append(shape)
                self._table.put(h, code)
            codes[i] = code
        if fresh:
            self._number()
        self._count(codes)
        ids = np.zeros(len(codes), np.uint64)
        told = codes != _EMPTY
        ids[told] = self._ids[codes[told]]
        if len(self._groups.groups) > MAX_TEMPLATES or self._tokens > MAX_TOKENS_KEPT:
            self._forget()
        return ids

    def relearn(self, shapes: Iterable[bytes]) -> None:
        """Take in shapes that `fresh` gave, in their order: templates come out as they did."""
        for shape in shapes:
            self._place(shape)
        self._number()

    def canonical(self, ids: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """What these ids have become by merges since they were given."""
        if not self._aliases:
            return ids
        unique, inverse = np.unique(ids, return_inverse=True)
        now = np.array([self._aliases.get(i, i) for i in unique.tolist()], np.uint64)
        return now[inverse]

    def text(self, template: int) -> str:
        """The wording of a template, values written `<*>`; "" for an id that is unknown or was forgotten."""
        code = self._codes.get(template)
        return "" if code is None else self._text(self._final(code))

    def count(self, template: int) -> int:
        """How many messages of this template have been learned."""
        code = self._codes.get(template)
        return 0 if code is None else self._groups.groups[self._groups.find(code)].count

    def reworded(self) -> list[tuple[int, str, int]]:
        """Id and wording of templates that are new, or have another wording or have become another template since this
        was last asked; with the id of what they have become, 0 when they are still themselves."""
        out = []
        for code, group in enumerate(self._groups.groups):
            if group.reworded:
                final = self._final(code)
                out.append(
                    (group.id, self._text(final), 0 if final == code else self._groups.groups[final].id)
                )
            group.reworded = False
        return out

    def correct(self, name: str, correction: TemplateCorrection | None) -> None:
        """Take in what somebody says of templates, under a name, or (None) take it back."""
        if self._corrections.take(name, correction):
            self._table.forget()
            self._renumber()
            for group in self._groups.groups:
                group.reworded = True

    def _now(self, template: int) -> int | None:
        code = self._codes.get(template)
        return None if code is None else self._groups.find(code)

    def _final(self, code: int) -> int:
        """What a code has become, by merges and by what people say."""
        code = self._groups.find(code)
        return self._redirected.get(code, code)

    def _text(self, code: int) -> str:
        literals = self._groups.groups[code].literals
        for other, to in self._redirected.items():
            if to == code:
                literals = common(literals, self._groups.groups[other].literals)
        return wording(literals)

    def snapshot(self) -> dict[str, Any]:
        """What was learned, as plain data."""
        groups = self._groups.groups
        return {
            "version": VERSION,
            "corrections": self._corrections.snapshot(),
            "lines": self._lines,
            "aliases": {str(k): v for k, v in self._aliases.items()},
            "groups": [
                [g.id, self._groups.find(c), "\x1f".join(g.key), "\x1f".join(g.literals), g.count, g.last]
                for c, g in enumerate(groups)
            ],
            "masked": self._groups.masked(),
        }

    def restore(self, state: dict[str, Any] | None) -> bool:
        """Take back a snapshot; False, and nothing changed, when it is of another version. All wordings count as
        new again."""
        if not readable(state):
            return False
        found = [
            Group(gid, parent, literals.split("\x1f"), tuple(key.split("\x1f")), count, last)
            for gid, parent, key, literals, count, last in state["groups"]
        ]
        masked = state["masked"]
        if state["version"] != VERSION:
            masked = _read_anew(found, masked)
        self._groups = Groups.of(found, masked)
        self._table.forget()
        self._lines = state["lines"]
        self._tokens = sum(len(g.key) for g in found)
        self._aliases = {int(k): v for k, v in state["aliases"].items()}
        self._corrections.restore(state.get("corrections", ()))
        self._renumber()
        return True

    def _place(self, shape: bytes) -> int:
        if not shape:
            return _EMPTY
        key, literals = tokens(shape.decode("utf-8", "replace"))
        before = len(self._groups.groups)
        code = self._groups.place(tuple(key), literals)
        if len(self._groups.groups) > before:
            self._tokens += len(key)
        place = self._splits.get(code)
        return code if place is None or not is_word(key[place]) else self._part(code, place, key[place])

    def _part(self, code: int, place: int, word: str) -> int:
        """The code of a part of a template that people take for several."""
        groups = self._groups.groups
        whole = groups[code]

        def make() -> int:
            key = (*whole.key, f"\x06{whole.id:x}", word)  # longer than any key of its length: no line has it
            known = self._codes.get(template_id(key))
            if known is not None:
                return known
            literals = [word if k == place else text for k, text in enumerate(whole.literals)]
            groups.append(Group(template_id(key), len(groups), literals, key))
            return len(groups) - 1

        part = self._corrections.part(whole.id, word, make)
        return code if part is None else part

    def _number(self) -> None:
        """Give new codes their ids; all of them again when templates have become one."""
        groups, known = self._groups.groups, len(self._ids)
        if self._groups.merges != self._merges or (self._corrections and known < len(groups)):
            self._renumber()
        elif known < len(groups):
            new = [group.id for group in groups[known:]]
            self._ids = np.concatenate((self._ids, np.array(new, np.uint64)))
            self._codes.update(zip(new, range(known, len(groups)), strict=True))

    def _renumber(self) -> None:
        self._merges = self._groups.merges
        groups, find = self._groups.groups, self._groups.find
        self._codes = {g.id: c for c, g in enumerate(groups)}
        self._redirected = self._corrections.redirected(self._now)
        splits = self._corrections.splits(self._now, lambda code: groups[code].literals)
        if splits != self._splits:
            self._splits = splits
            self._corrections.forget_parts()
            self._table.forget()
        whole = {g.id: c for c, g in enumerate(groups) if find(c) in splits}
        for code, group in enumerate(groups):  # parts of what nobody takes for several any more
            if len(group.key) > 1 and group.key[-2][:1] == "\x06":
                origin = int(group.key[-2][1:], 16)
                root = self._now(origin)
                gone = origin not in whole and root is not None
                group.parent = root if gone and root is not None else code
        self._ids = np.array([groups[self._final(c)].id for c in range(len(groups))], np.uint64)
        self._aliases = {k: v for k, v in self._aliases.items() if k not in self._codes}
        for code, group in enumerate(groups):
            now = int(self._ids[code])
            if now != group.id:
                self._aliases[group.id] = now

    def _count(self, codes: NDArray[np.int32]) -> None:
        self._lines += len(codes)
        times = np.bincount(codes[codes != _EMPTY])
        seen = np.flatnonzero(times)
        for code, n in zip(seen.tolist(), times[seen].tolist(), strict=True):
            group = self._groups.groups[self._groups.find(code)]
            group.count += n
            group.last = self._lines

    def _forget(self) -> None:
        """Keep the templates that are used: random text must not push out what a service says every day."""
        groups = self._groups
        roots = sorted(
            (c for c in range(len(groups.groups)) if groups.find(c) == c),
            key=lambda c: (min(groups.groups[c].count, 50), groups.groups[c].last), reverse=True,
        )  # fmt: skip
        kept, total = set(), 0
        for code in roots[: MAX_TEMPLATES // 2]:
            total += len(groups.groups[code].key)
            if total > MAX_TOKENS_KEPT // 2:
                break
            kept.add(code)
        self._groups = groups.kept(kept)
        self._corrections.forget_parts()
        self._table.forget()
        self._tokens = sum(len(g.key) for g in self._groups.groups)
        known = {g.id for g in self._groups.groups}
        self._aliases = {k: v for k, v in self._aliases.items() if v in known}
        self._renumber()


def readable(state: dict[str, Any] | None) -> TypeGuard[dict[str, Any]]:
    """Whether `TemplateMiner.restore` can take this snapshot back."""
    return state is not None and state.get("version") in (VERSION, *UPGRADED)


def _read_anew(groups: list[Group], masked: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    """Split the keys and wordings that an older release kept by the rules of now, each under the id it has."""
    for group in groups:
        key, literals = tokens("".join(group.key))
        again = tokens("".join(group.literals))[1]
        group.key, group.literals = tuple(key), again if len(again) == len(key) else literals
    return [("\x1f".join(tokens(text.replace("\x1f", ""))[0]), code) for text, code in masked]
