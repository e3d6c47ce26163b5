"""The sentences of a foreign text: its first part only, without markup, links and quoted lines."""

import re

READ_AT_MOST = 20_000  # characters; half of what Reddit allows in a post. Everything here takes time in proportion to it.
SENTENCES_AT_MOST = 200

_LINK = re.compile(r"\[([^\[\]\n]{1,300})\]\([^()\s]{1,1000}\)")
_ADDRESS = re.compile(r"(?:https?://|www\.)\S+")
_QUOTED_LINE = re.compile(r"^[ \t]*(?:>|&gt;).*$", re.MULTILINE)  # words of somebody else
_MARKS = re.compile(r"[*_~`#^|\\]+")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
_END = re.compile(r"(?<=[.!?…])[\"'”’)\]]?\s+(?=\S)|\n+")
_BLANKS = re.compile(r"\s+")


def plain(text: str) -> str:
    """The first part of a text as a reader sees it, on as many lines as it has."""
    text = _CONTROL.sub(" ", text[:READ_AT_MOST])
    text = _QUOTED_LINE.sub("", text)
    text = _ADDRESS.sub(" ", _LINK.sub(r"\1", text))
    return _MARKS.sub("", text).replace("’", "'").replace("‘", "'")


def sentences(text: str) -> list[str]:
    """Of plain text."""
    parts = (_BLANKS.sub(" ", part).strip(" -•") for part in _END.split(text, maxsplit=SENTENCES_AT_MOST)[:SENTENCES_AT_MOST])
    return [part for part in parts if part]
