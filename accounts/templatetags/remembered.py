"""Parts that most pages have: rendered once per process for each of their few forms."""

from threading import Lock
from typing import Any

from cachetools import LRUCache
from django import template
from django.template.base import FilterExpression, NodeList, Parser, Token
from django.template.context import Context
from django.utils.translation import get_language

register = template.Library()

_texts: LRUCache[Any, str] = LRUCache(1000)
_lock = Lock()


@register.tag
def remember(parser: Parser, token: Token) -> "RememberNode":
    """Render what is inside once for each language and each set of values of some expressions.

    It must show nothing else, and the values must be few: `{% remember here count %}`.
    """
    values = [parser.compile_filter(bit) for bit in token.split_contents()[1:]]
    inside = parser.parse(["endremember"])
    parser.delete_first_token()
    return RememberNode(inside, values)


class RememberNode(template.Node):
    def __init__(self, nodelist: NodeList, values: list[FilterExpression]) -> None:
        self.nodelist = nodelist
        self.values = values

    def render(self, context: Context) -> str:
        values = [value.resolve(context, ignore_failures=True) for value in self.values]
        key = (self, get_language(), *values)
        with _lock:
            text = _texts.get(key)
        if text is None:
            text = self.nodelist.render(context)
            with _lock:
                _texts[key] = text
        return text
