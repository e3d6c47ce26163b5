"""Which runs failed of the same thing. Pure but for the run's own names, which are no part of a cause."""

import re

from ...contract.registry import find_type
from ...models import Run

OF_THE_ACCOUNT = {"CredentialRejected", "UpstreamDown"}  # whatever the words: the whole upstream account has the trouble
_SENTENCE_END = re.compile(r"(?<=[.!?])\s")
_QUOTED = re.compile(r"“[^”]*”|\"[^\"]*\"|'[^']{2,}'")
_NUMBERED = re.compile(r"https?://\S+|\S*\d\S*")  # addresses, ids, counts, amounts
_REFERENCE = re.compile(r" \(reference \w+\)")
LONGEST = 200


def key_of(run: Run, kind: str, error: str) -> dict[str, str]:
    """The columns of Incident that are equal for the same cause: the class of the error, and its first sentence without what
    differs from subject to subject.
    """
    handler = find_type(run.job_type)
    source = handler.source if handler else ""
    cause = "" if kind in OF_THE_ACCOUNT else _words(run, error)
    return {"job_type": run.job_type, "source": source, "kind": kind, "cause": cause}


def _words(run: Run, error: str) -> str:
    text = _REFERENCE.sub("", error)
    for name in sorted(filter(None, (run.subject_label, run.brand.name if run.brand else "")), key=len, reverse=True):
        text = text.replace(name, "…")
    first = _SENTENCE_END.split(text.strip(), maxsplit=1)[0]
    return " ".join(_NUMBERED.sub("#", _QUOTED.sub("…", first)).casefold().split())[:LONGEST].strip()
