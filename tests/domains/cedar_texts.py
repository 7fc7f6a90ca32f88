"""Policies for hypothesis: rules in Cedar of every shape that a filter can be made of, and some that are errors."""

from __future__ import annotations

from hypothesis import strategies as st

Text = st.SearchStrategy[str]
#: texts that are alike but for case, length, or what LIKE takes for a wildcard
WORDS = (
    "db-1",
    "DB-1",
    "db-2",
    "db",
    "b",
    "",
    "a*b",
    "a%b",
    "a_b",
    "aXb",
    "é",
    "É",
    "x\ny",
    "ß",
    "dbdb",
    "critical",
)
ROLES = ("IT operator", "operations engineer", "requester", "administrator")


def quoted(text: str, *, pattern: bool = False) -> str:
    """A literal of Cedar."""
    escaped = "".join(c if c.isascii() and c.isalnum() else f"\\u{{{ord(c):x}}}" for c in text)
    return '"' + (escaped.replace("\\u{2a}", "*") if pattern else escaped) + '"'


words = st.sampled_from(WORDS)
literals: Text = st.one_of(
    words.map(quoted),
    words.map(quoted),
    st.sampled_from(["true", "false", "0", "1", "2", "-3", "9223372036854775807"]),
)
roles = st.sampled_from(ROLES).map(lambda r: f'Role::"{r}"')
groups = st.one_of(roles, st.sampled_from(['User::"ann"', 'Team::"one"', 'Organisation::"acme"']))
patterns = st.one_of(
    st.tuples(st.sampled_from(["", "*"]), words, st.sampled_from(["", "*"])).map("".join),
    st.tuples(words, words).map("*".join),
)


def fitting(attribute: str) -> Text:
    """Tests of an attribute with values of its own sort, which many records pass and many do not."""
    if attribute == "count":
        return st.sampled_from(
            [f"resource.count {o} {n}" for o in ("==", "!=", "<", ">=") for n in (1, 2, 3)]
        )
    if attribute in ("flapping", "item__discovered"):
        return st.sampled_from([f"resource.{attribute}", f"resource.{attribute} == false"])
    pool = ("critical", "warning", "info") if attribute == "severity" else WORDS
    value = st.sampled_from(pool).map(quoted)
    return st.one_of(
        st.tuples(st.sampled_from(["==", "!="]), value).map(lambda x: f"resource.{attribute} {x[0]} {x[1]}"),
        st.lists(value, min_size=3, max_size=6).map(
            lambda v: f"[{', '.join(v)}].contains(resource.{attribute})"
        ),
        st.sampled_from(["d*", "*b", "*b*", "D*", "*", "a*b", "*-*", "*i*"]).map(
            lambda p: f'resource.{attribute} like "{p}"'
        ),
    )


def tests(attributes: list[str]) -> Text:
    """Conditions without a part that is a condition."""
    own = st.sampled_from(attributes).flatmap(fitting)
    a = st.sampled_from(attributes).map(lambda name: f"resource.{name}")
    order = st.sampled_from(["<", "<=", ">", ">="])
    same = st.sampled_from(["==", "!="])
    number = st.sampled_from(["0", "1", "2", "-3", "9223372036854775807"])
    return st.one_of(
        *[own] * 8,
        st.tuples(a, same, literals).map(" ".join),
        st.tuples(literals, same, a).map(" ".join),
        st.tuples(a, same, st.sampled_from(["principal.username", "principal.name"])).map(" ".join),
        st.tuples(a, order, number).map(" ".join),
        st.tuples(number, order, a).map(" ".join),
        st.tuples(a, patterns).map(lambda x: f"{x[0]} like {quoted(x[1], pattern=True)}"),
        st.tuples(st.lists(literals, max_size=3), a).map(lambda x: f"[{', '.join(x[0])}].contains({x[1]})"),
        st.sampled_from(attributes).map(lambda name: f"resource has {name}"),
        a,
        groups.map(lambda g: f"principal in {g}"),
        st.lists(groups, min_size=1, max_size=2).map(lambda g: f"principal in [{', '.join(g)}]"),
        st.sampled_from(
            ['resource in Area::"operations"', 'action == Action::"read"', 'context.scope == "write"', "true", "false",
             'principal.name like "A*"', 'action in Action::"act"', "resource is Kind", '"text"', "3"]
        ),
    )  # fmt: skip


def conditions(attributes: list[str], depth: int = 3) -> Text:
    """Conditions within conditions."""
    if depth == 0:
        return tests(attributes)
    inner = conditions(attributes, depth - 1)
    return st.one_of(
        tests(attributes),
        st.tuples(inner, st.sampled_from(["&&", "||"]), inner).map(lambda x: f"({' '.join(x)})"),
        inner.map(lambda x: f"!({x})"),
        st.tuples(inner, inner, inner).map(lambda x: f"(if {x[0]} then {x[1]} else {x[2]})"),
    )


def rules(attributes: list[str], kind: str) -> Text:
    """One permit or forbid."""
    clause = st.tuples(st.sampled_from(["when", "unless"]), conditions(attributes))
    return st.builds(
        lambda effect, who, does, what, clauses: f"{effect} ({who}, {does}, {what}) {clauses};",
        effect=st.sampled_from(["permit", "permit", "permit", "forbid"]),
        who=st.one_of(st.just("principal"), st.just("principal"), roles.map(lambda r: f"principal in {r}")),
        does=st.sampled_from(
            ["action", "action", 'action == Action::"read"', 'action in [Action::"act", Action::"read"]']
        ),
        what=st.sampled_from(
            ["resource", "resource", f'resource == Kind::"{kind}"', 'resource in Area::"operations"']
        ),
        clauses=st.lists(clause, min_size=1, max_size=2).map(
            lambda cs: " ".join(f"{w} {{ {c} }}" for w, c in cs)
        ),
    )


def policies(attributes: list[str], kind: str) -> Text:
    """A text of a few rules."""
    return st.lists(rules(attributes, kind), min_size=1, max_size=4).map("\n".join)
