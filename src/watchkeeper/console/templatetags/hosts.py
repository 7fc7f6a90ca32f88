"""Commands that are copied, as pages about hosts show them."""

from __future__ import annotations

from django import template
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_block_tag
def commands(content: str) -> SafeString:
    """Lines for a shell, to be copied as they are: characters that mean something in HTML need not be escaped in them."""
    return render_to_string("console/hosts/snippet.html", {"text": content.strip()})
