"""Reads a run's input: a JSON object that its actor accepts."""

import json
from typing import Any

from . import errors
from .actors import Actor


def read_input(actor: Actor, body: bytes) -> dict[str, Any]:
    """The parsed, valid input; an empty body is an empty input. Raises a 400 for anything else."""
    try:
        given = json.loads(body or b"{}")
    except ValueError:
        raise errors.invalid("The body of the start is not valid JSON.", "run-input-body-not-valid-json") from None
    if not isinstance(given, dict):
        raise errors.invalid("The input must be a JSON object.", "input-json-not-object")
    if problem := actor.problem(given):
        raise errors.invalid(f"Input is not valid: {problem}", "invalid-input")
    return given
