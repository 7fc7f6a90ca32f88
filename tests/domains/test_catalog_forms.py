"""Forms in rows and as JSON Schema are the same thing: what one says, the other says."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from watchkeeper.console import questions
from watchkeeper.domains.catalog import forms, texts

_words = st.text(
    st.characters(whitelist_categories=("Lu", "Ll", "Nd"), whitelist_characters=" ?"), min_size=1, max_size=20
)
_label = _words.map(str.strip).filter(bool)
_row = st.fixed_dictionaries(
    {
        "label": _label,
        "type": st.sampled_from([key for key, _ in questions.TYPES]),
        "choices": st.lists(_label, min_size=1, max_size=4, unique=True).map(", ".join),
        "needed": st.sampled_from(["", "yes"]),
        "help": st.one_of(st.just(""), _label),
        "key": st.just(""),
        "more": st.sampled_from(["", '{"minLength": 2}', '{"default": "x"}']),
    }
)


@given(st.lists(_row, max_size=6))
def test_rows_become_a_form_and_the_form_the_same_rows(rows: list[dict[str, str]]) -> None:
    schema = questions.schema_of(rows)
    Draft202012Validator.check_schema(schema)
    forms.check(schema)
    again = questions.rows_of(schema)
    assert [(r["label"], r["type"], r["needed"], r["help"], r["more"]) for r in again] == [
        (r["label"], r["type"], r["needed"], r["help"], r["more"]) for r in rows
    ]
    assert questions.schema_of(again) == schema


@pytest.mark.parametrize(
    ("part", "answer", "says"),
    [
        ({"type": "string", "minLength": 3}, "ab", "at least 3 characters"),
        ({"type": "integer"}, 1.5, "it has to be a whole number"),
        ({"type": "boolean"}, "yes", "it has to be yes or no"),
        ({"type": "string", "format": "date"}, "soon", "not a date"),
        ({"type": "string", "format": "email"}, "x", "not an email"),
        ({"type": "array", "items": {"type": "string", "enum": ["a"]}}, ["b"], "one of: a"),
        ({"type": "string", "pattern": "^a+$"}, "b", "it does not look like ^a+$"),
        ({"type": "number", "exclusiveMaximum": 2}, 2, "less than 2"),
        ({"type": "string", "enum": ["a", "b"]}, "c", "one of: a, b"),
    ],
)
def test_what_is_wrong_is_said_in_words(part: dict[str, Any], answer: Any, says: str) -> None:
    schema = {"type": "object", "properties": {"q": part}}
    forms.check(schema)
    assert forms.wrong(schema, {"q": answer}) == {"q": says}


def test_a_pattern_that_never_ends_elsewhere_is_answered_at_once() -> None:
    schema = {"type": "object", "properties": {"q": {"type": "string", "pattern": "^(a+)+$"}}}
    assert "q" in forms.wrong(schema, {"q": "a" * 5000 + "b"})


@given(_words)
def test_a_text_with_a_dollar_is_refused_or_filled_and_never_an_error(text: str) -> None:
    for candidate in (text, f"${text}", f"$person {text}", f"${{{text}"):
        try:
            texts.check(candidate, ("size",))
        except texts.BadText:
            continue
        assert "$person" not in texts.filled(candidate, {"person": "bob"})
