"""The HTML of inputs and selects as Django's templates write it, but without them: the setting FORM_RENDERER.

Django includes a template for each option and one more for its attributes: a select of 300 brands took half of a page's time.
"""

from collections.abc import Mapping
from typing import Any

from django.forms.renderers import DjangoTemplates
from django.utils.formats import localize
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

FOLDER = "django/forms/widgets/"
INPUTS = {
    f"{FOLDER}{name}.html"
    for name in ("checkbox", "date", "datetime", "email", "hidden", "input", "number", "password", "text", "time", "url")
}
Widget = Mapping[str, Any]


class QuickRenderer(DjangoTemplates):
    """All other widgets, and whole forms, by Django's templates."""

    def render(self, template_name: str, context: dict[str, Any], request: Any = None) -> str:
        if template_name in INPUTS:
            return _input(context["widget"])
        if template_name == f"{FOLDER}select.html":
            return _select(context["widget"])
        return super().render(template_name, context, request)


def _input(widget: Widget) -> SafeString:
    attributes = {"type": widget["type"], "name": widget["name"]}
    if widget["value"] is not None:
        attributes["value"] = widget["value"]
    return format_html("<input{}{}>", _attributes(attributes), _attributes(widget["attrs"]))


def _select(widget: Widget) -> SafeString:
    groups = ((name, _options(options)) for name, options, _ in widget["optgroups"])
    inside = format_html_join("", "{}", ((_group(name, options) if name else options,) for name, options in groups))
    return format_html('<select name="{}"{}>{}\n</select>', widget["name"], _attributes(widget["attrs"]), inside)


def _group(name: Any, options: SafeString) -> SafeString:
    return format_html('\n  <optgroup label="{}">{}\n  </optgroup>', localize(name), options)


def _options(options: list[Widget]) -> SafeString:
    lines = ((one["value"], _attributes(one["attrs"]), localize(one["label"])) for one in options)
    return format_html_join("", '\n  <option value="{}"{}>{}</option>', lines)


def _attributes(attributes: Widget) -> SafeString:
    """With a blank before each. One that is True has no value, one that is False is left out."""
    return format_html_join("", "{}", ((_attribute(name, value),) for name, value in attributes.items() if value is not False))


def _attribute(name: str, value: Any) -> SafeString:
    return format_html(" {}", name) if value is True else format_html(' {}="{}"', name, value)
