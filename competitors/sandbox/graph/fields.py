"""The ``fields`` parameter: ``id,name,creative{id,thumbnail_url}``."""

import re
from typing import Any

from . import errors

Fields = dict[str, Any]  # a name, and the Fields inside its braces


def parse_fields(text: str) -> Fields:
    """Raises the API's error for braces that do not match and for empty names."""
    stack: list[Fields] = [{}]
    name = ""
    for part in re.findall(r"\w+|[{},]|\S", text):
        if re.fullmatch(r"\w+", part) and not name:
            name = part
            stack[-1][name] = {}
        elif part == "{" and name not in ("", "}"):
            stack.append(stack[-1][name])
            name = ""
        elif part == "}" and len(stack) > 1 and name:
            stack.pop()
            name = "}"  # only a comma or another closing brace may follow
        elif part == "," and name:
            name = ""
        else:
            raise errors.GraphError(400, 2500, f"Syntax error: unexpected {part!r} in the field list")
    if len(stack) > 1 or (text and not name):
        raise errors.GraphError(400, 2500, "Syntax error: the field list ends too early")
    return stack[0]


def project(kind: str, node: dict[str, Any], fields: Fields) -> dict[str, Any]:
    """The chosen fields of a node, and its id. A field without a value (None) is left out, an unknown one is an error."""
    chosen = {"id": None} | fields if "id" in node else fields
    shown = {}
    for name, inner in chosen.items():
        if name not in node:
            raise errors.wrong(f"Tried accessing nonexisting field ({name}) on node type ({kind})")
        if node[name] is not None:
            shown[name] = _nested(name, node[name], inner)
    return shown


def _nested(name: str, value: Any, inner: Fields | None) -> Any:
    if isinstance(value, list) and inner:
        return [_nested(name, one, inner) for one in value]
    if isinstance(value, dict) and inner and isinstance(value.get("data"), list):
        return {"data": _nested(name, value["data"], inner)}  # the fields are those of the entries
    if isinstance(value, dict) and inner:
        return project(name, value, inner)
    return {"id": value["id"]} if name in ("creative", "campaign", "adset") else value
