"""What people say of log templates: that two are one, or that one is several, told apart by one of its values."""

from __future__ import annotations

import msgspec


class TemplateCorrection(msgspec.Struct, frozen=True, omit_defaults=True):
    """`other` set: it is the same as `template`. `place` set: lines with another word there, as which of the values of
    the wording (from 1), are another template; a value that is no word (a number, an address) cannot tell them apart."""

    template: int
    other: int = 0
    place: int = 0
