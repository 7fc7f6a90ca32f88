"""Which shapes are one template: shapes that differ in one place where many words have been seen.

Two messages that differ in one word may be two templates ("… succeeded", "… failed") or one with a variable
("for user root", "for user ann"). What tells them apart is how many different words have stood there while
all the rest was the same; so the place becomes variable once that many have been seen (the idea of Brain,
Yu et al. 2023, "Brain: Log Parsing with Bidirectional Parallel Tree", made online), and templates that were
kept apart until then become one, under the oldest's name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import blake2b

from watchkeeper.analysis.templates.together import Skeletons
from watchkeeper.analysis.templates.words import DIGITS, SEPARATORS, V, is_word

Key = tuple[str, ...]
ANY = "\x02"
"""Stands in a key for a place that has become variable."""

ENOUGH = 4  # different words in one place that make it variable
ENOUGH_IN_FRONT = 6  # in front stands what a message is about
ENOUGH_AMONG_FEW = 5  # with one other word there is little that is the same
ENOUGH_NAMES = 2  # after "user"
_MAX_MASKS = 64
_MAX_VARIANTS = 16
_MAX_WORDS = 40  # places of a message that may become variable
_MAX_COVERED = 512  # templates with the same separators that are looked through when some become one
_MAX_PLACES = 100_000  # places remembered, in each of two generations


@dataclass(slots=True)
class Group:
    """One template: its id, where it has gone when it was merged, and its wording so far."""

    id: int
    parent: int
    literals: list[str]
    key: Key
    count: int = 0
    last: int = 0
    reworded: bool = True


def template_id(key: Iterable[str]) -> int:
    """The id of the template whose first key is this: 64 bits, the same in every process.

    >>> template_id(["a", " ", "b"]) == template_id(["a", " ", "c"])
    False
    """
    digest = blake2b("\x1f".join(key).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little") or 1


class Groups:
    """Templates by key, and how they merge. `groups` only grows until `kept` makes a smaller copy."""

    def __init__(self) -> None:
        self.groups: list[Group] = []
        self.merges = 0
        self._exact: dict[int, int] = {}  # hash of a key → code; the hash is Python's, seeded by process
        self._masked: dict[Key, int] = {}
        self._masks: dict[int, dict[tuple[int, ...], None]] = {}  # by length: sets of variable places
        # hash of a key with one place left out: words that stood there, and their groups
        self._variants: dict[int, list[tuple[str, int]]] = {}
        self._older: dict[int, list[tuple[str, int]]] = {}
        self._skeletons = Skeletons()
        self._framed: dict[int, list[int]] = {}  # hash of the separators of a key → codes

    @classmethod
    def of(cls, groups: Sequence[Group], masked: Sequence[tuple[str, int]]) -> Groups:
        """Templates as a snapshot holds them, with what `masked` gave; variable places are learned again."""
        self = cls()
        self.groups = list(groups)
        for code, group in enumerate(groups):
            self._exact[sum(_hashes(group.key))] = code
            self._framed.setdefault(_frame(group.key), []).append(code)
        for text, code in masked:
            self._remember(tuple(text.split("\x1f")), code)
        for key, code in [(g.key, c) for c, g in enumerate(groups)] + list(self._masked.items()):
            self._register(key, code, merge=False)
        return self

    def masked(self) -> list[tuple[str, int]]:
        """Keys with variable places, and the code each belongs to, as plain data."""
        return [("\x1f".join(k), self.find(c)) for k, c in self._masked.items()]

    def kept(self, codes: set[int]) -> Groups:
        """A copy that holds only these templates, with all that became part of them and is a merged key's."""
        order = sorted(codes)
        place = {code: i for i, code in enumerate(order)}
        groups = [replace(self.groups[c], parent=i) for i, c in enumerate(order)]
        masked = [(text, place[c]) for text, c in self.masked() if c in place]
        return Groups.of(groups, masked)

    def find(self, code: int) -> int:
        """The code that `code` has become."""
        groups = self.groups
        while groups[code].parent != code:
            groups[code].parent = groups[groups[code].parent].parent
            code = groups[code].parent
        return code

    def place(self, key: Key, literals: Sequence[str]) -> int:
        """The code of the template of this key, a new one if there is none."""
        hashes = _hashes(key)
        code = self._match(hashes)
        if code is None:
            code = len(self.groups)
            self.groups.append(Group(template_id(key), code, list(literals), key))
            self._exact[sum(hashes)] = code
            self._framed.setdefault(_frame(key), []).append(code)
            self._register(key, code)
            return self.find(code)
        self._reword(code, literals)
        return code

    def text(self, code: int) -> str:
        """The wording of a template, values written `<*>`."""
        return wording(self.groups[self.find(code)].literals)

    def _match(self, hashes: Sequence[int]) -> int | None:
        whole = sum(hashes)
        code = self._exact.get(whole)
        if code is not None:
            return self.find(code)
        for mask in self._masks.get(len(hashes), ()):
            code = self._exact.get(whole + sum(_any(p) - hashes[p] for p in mask))
            if code is not None:
                return self.find(code)
        return None

    def _register(self, key: Key, code: int, *, merge: bool = True) -> None:
        """Note for every word of a new key what else has stood in its place, and merge where it is enough."""
        words = [p for p, k in enumerate(key) if k != ANY and is_word(k)]
        if len(words) < 2:
            return
        hashes = _hashes(key)
        whole = sum(hashes)
        for place in words[:_MAX_WORDS]:
            variants = self._variants_of(whole + _any(place) - hashes[place])
            if len(variants) < _MAX_VARIANTS and all(word != key[place] for word, _ in variants):
                variants.append((key[place], code))
            if merge and len(variants) >= _enough(key, place, words):
                masked = (*key[:place], ANY, *key[place + 1 :])
                self._merge(masked, {self.find(c) for _, c in variants})
        skeleton = hash((tuple(words), whole - sum(hashes[p] for p in words)))
        found = self._skeletons.add(skeleton, [hashes[p] for p in words], code)
        if merge and found is not None:
            places = {words[p] for p in found[0]}
            masked = tuple(ANY if p in places else k for p, k in enumerate(key))
            self._merge(masked, {self.find(c) for c in found[1]})

    def _merge(self, masked: Key, codes: set[int]) -> None:
        root, *others = sorted(codes | self._covered(masked))
        group = self.groups[root]
        self.merges += len(others)
        for other in others:
            self.groups[other].parent = root
            group.count += self.groups[other].count
            self._reword(root, self.groups[other].literals)
        for place, k in enumerate(masked):
            if k == ANY and group.literals[place] != V:
                group.literals[place] = V
                group.reworded = True
        if masked not in self._masked:
            self._remember(masked, root)
            self._register(masked, root)

    def _covered(self, masked: Key) -> set[int]:
        """Templates known before that differ from this key in its variable places alone."""
        found = set()
        for code in self._framed.get(_frame(masked), ())[-_MAX_COVERED:]:
            if all(m in (ANY, k) for m, k in zip(masked, self.groups[code].key, strict=True)):
                found.add(self.find(code))
        return found

    def _remember(self, masked: Key, code: int) -> None:
        masks = self._masks.setdefault(len(masked), {})
        if len(masks) < _MAX_MASKS:
            masks[tuple(p for p, k in enumerate(masked) if k == ANY)] = None
        self._masked[masked] = code
        self._exact[sum(_hashes(masked))] = code

    def _variants_of(self, masked: int) -> list[tuple[str, int]]:
        """What stood in the place left out; two generations, so that random words cannot fill the memory."""
        found = self._variants.get(masked)
        if found is None:
            found = self._older.pop(masked, None) or []
            if len(self._variants) >= _MAX_PLACES:
                self._older, self._variants = self._variants, {}
            self._variants[masked] = found
        return found

    def _reword(self, code: int, literals: Sequence[str]) -> None:
        """Leave in the wording only what all lines of the template share."""
        group = self.groups[code]
        for p, (ours, theirs) in enumerate(zip(group.literals, literals, strict=True)):
            if ours != theirs and ours != V:
                new = _shared(ours, theirs)
                group.reworded |= new != ours
                group.literals[p] = new


def _shared(ours: str, theirs: str) -> str:
    """What two literals of one place share: all but the digits, or all but a remark, or nothing."""
    word, remark = ours.partition(" (")[0], theirs.partition(" (")[0]
    if word == remark:
        return word + V
    same = DIGITS.sub(V, ours)
    return same if same == DIGITS.sub(V, theirs) else V


@lru_cache(maxsize=512)
def _any(place: int) -> int:
    return hash(f"{place}{V}{ANY}")


def _hashes(key: Key) -> list[int]:
    """A hash for each token in its place; the sum is the key's, and a difference changes one place. Of strings,
    which Python hashes with a secret: sums of hashes of tuples were seen to collide."""
    return [hash(f"{p}{V}{k}") for p, k in enumerate(key)]


def wording(literals: Iterable[str]) -> str:
    """Literals as people read them: values are <*>, and values that touch are one.

    >>> wording(["took", " ", V, " ", V, "ms"])
    'took <*>ms'
    """
    words = "".join(literals)
    while f"{V} {V}" in words:
        words = words.replace(f"{V} {V}", V)
    while V + V in words:
        words = words.replace(V + V, V)
    return words.replace(V, "<*>")


def _frame(key: Key) -> int:
    """What a key keeps when all but its separators is left out."""
    return hash(tuple(k if k in SEPARATORS else V for k in key))


def _enough(key: Key, place: int, words: Sequence[int]) -> int:
    """How many different words make this place variable."""
    before = next((k for k in reversed(key[:place]) if k != " "), "")
    if before.lower() == "user":
        return ENOUGH_NAMES
    if place == words[0]:
        return ENOUGH_IN_FRONT
    return ENOUGH_AMONG_FEW if len(words) <= 2 else ENOUGH
