"""Pages have a strict CSP and show scraped text: no inline code, no evaluation, no unescaped text."""

import ast
import base64
import hashlib
import json
import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders

from tests.architecture.tree import files, source_files, text, tree

TEMPLATES = [path for path in files() if path.endswith(".html") and "templates/" in path]
SCRIPTS = source_files("static", suffixes=(".js",))
COMMENT = re.compile(r"\{#.*?#\}|\{% comment.*?%\}.*?\{% endcomment %\}|<!--.*?-->", re.DOTALL)
POSTED = re.compile(r"<form\b[^>]*\bmethod=\"post\".*?</form>", re.DOTALL)
TAG = re.compile(r"\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
IN_MARKUP = {  # in a template without its comments and template tags
    "an inline script": r"<script(?![^>]*\ssrc=)",
    "an inline style sheet": r"<style\b",
    "a style attribute": r"<[^>]*\sstyle\s*=",
    "an on… attribute": r"<[^>]*\son[a-z]+\s*=",
    "hx-on, which htmx evaluates": r"\shx-on[:-]",
    "a filter or js: value, which htmx evaluates": r"""hx-trigger=["'][^"']*\[|hx-(?:vals|headers|vars)=["']js(?:avascript)?:""",
    "a javascript: link": r"javascript:",
    "something from another host": r"<(?:script|link|img|iframe|source|form)\b[^>]*\s(?:src|href|action)=[\"'](?:https?:)?//",
}
# Text of others, by the names that templates have for it. It may be written from right to left.
OF_OTHERS = re.compile(
    r"\{\{ (?:(?:row\.|run\.)*subject_label|(?:run\.|row\.run\.|stale\.)?brand(?:\.name)?|competitor\.name|stale\.subject"
    r"|line\.name|(?:listing|panel|fix)\.label|label|review\.(?:title|author|body)|(?:entry|line|event)\.message"
    r"|run\.error_message|row\.result|one\.attempt\.error|group\.sample)(?=[ |])[^}]*\}\}"
)
IN_TEMPLATE = {"text that is trusted unescaped": r"\|\s*safe(?:seq)?\b|\{%\s*autoescape\s+off"}
IN_SCRIPT = {
    "evaluation or markup from a string": r"\beval\s*\(|new Function|\.innerHTML|\.outerHTML|insertAdjacentHTML|document\.write"
}
TRUSTED = {"mark_safe", "SafeString", "SafeText"}
TRUSTED_IN: dict[str, str] = {}  # path -> reason


def found(rules: dict[str, str], content: str) -> list[str]:
    return [f"{what}: {hit[0][:80]}" for what, pattern in rules.items() for hit in re.finditer(pattern, content, re.IGNORECASE)]


def of_template(content: str) -> list[str]:
    content = COMMENT.sub("", content)
    return found(IN_TEMPLATE, content) + found(IN_MARKUP, TAG.sub("", content))


def loose(content: str) -> list[str]:
    """Text of others that is neither in <bdi>, nor isolated in a title, nor an attribute."""
    return [
        hit[0]
        for line in COMMENT.sub("", content).splitlines()
        for hit in OF_OTHERS.finditer(line)
        if not line[: hit.start()].endswith("<bdi>") and "|isolate" not in hit[0]
        if (before := TAG.sub("", line[: hit.start()])).rfind("<") <= before.rfind(">")
    ]


def of_python(module: ast.Module) -> list[str]:
    calls = [node.func for node in ast.walk(module) if isinstance(node, ast.Call)]
    names = [getattr(function, "id", getattr(function, "attr", "")) for function in calls]
    return [name for name in names if name in TRUSTED]


def test_no_template_needs_an_exception_from_the_csp():
    broken = [f"{path}: {what}" for path in TEMPLATES for what in of_template(text(path))]
    assert not broken, "\n".join(broken)


def test_the_page_takes_one_build_of_htmx_and_lets_it_set_no_style():
    page = text("templates/base.html")
    script = Path(finders.find("django_htmx/htmx-2.min.js")).read_bytes()
    wanted = f"sha384-{base64.b64encode(hashlib.sha384(script).digest()).decode()}"
    assert f'integrity="{wanted}"' in page, f"templates/base.html needs integrity={wanted!r}."
    config = json.loads(re.search(r"name=\"htmx-config\" content='([^']+)'", page)[1])
    assert config["attributesToSettle"] == ["class"]
    assert config["includeIndicatorStyles"] is False


def test_text_of_others_turns_nothing_around_it():
    broken = [f"{path}: {what}" for path in TEMPLATES for what in loose(text(path))]
    assert not broken, "\n".join(broken)


def test_every_form_that_posts_has_the_token_that_says_it_is_from_our_page():
    forms = [(path, form) for path in TEMPLATES for form in POSTED.findall(text(path))]
    assert len(forms) > 20
    assert not [f"{path}: {form[:80]}" for path, form in forms if "{% csrf_token %}" not in form]


@pytest.mark.parametrize(
    "content", ["<p>{{ review.title|default:'x' }}", "<bdi>x</bdi> {{ competitor.name }}", "{{ line.message }}"]
)
def test_loose_text_of_others_is_found(content):
    assert loose(content)


def test_no_script_evaluates_text():
    broken = [f"{path}: {what}" for path in SCRIPTS for what in found(IN_SCRIPT, text(path))]
    assert not broken, "\n".join(broken)


def test_no_python_calls_text_safe():
    """format_html escapes its arguments; nothing else is needed."""
    product = source_files("controlplane", "competitors", "pipeline")
    broken = [f"{path}: {what}" for path in product if path not in TRUSTED_IN for what in of_python(tree(path))]
    assert not broken, "\n".join(broken)


@pytest.mark.parametrize(
    "content",
    [
        "<script>go()</script>",
        "<style>a {}</style>",
        '<p style="x">',
        "<p {% if a > b %}x{% endif %} style='x'>",
        '<a href="#" onclick="x()">',
        '<div hx-on:click="x">',
        '<div hx-trigger="keyup[ctrlKey]">',
        """<div hx-vals='js:{a: 1}'>""",
        '<a href="javascript:x">',
        '<script src="https://cdn.example.com/x.js"></script>',
        '<img src="//example.com/x.png">',
        "{{ title|safe }}",
        "{{ title | safe }}",
        "{% autoescape off %}",
    ],
)
def test_a_template_that_breaks_a_rule_is_found(content):
    assert of_template(content)


@pytest.mark.parametrize(
    "content",
    [
        "<script src=\"{% static 'app.js' %}\" defer></script>",
        "{# <style> would be wrong #}",
        '<a href="https://example.com">a listing</a>',
        "<p>A style = a way to do it; based on = nothing.</p>",
        "{{ title|escape }}",
        '<div hx-trigger="every 2s">',
    ],
)
def test_a_template_that_is_right_passes(content):
    assert not of_template(content)


def test_scripts_and_python_that_break_a_rule_are_found():
    assert found(IN_SCRIPT, "el.innerHTML = text")
    assert of_python(ast.parse("from django.utils.safestring import mark_safe\nmark_safe(x)"))
