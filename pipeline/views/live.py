"""A page fragment that polls while something is live. The answer is 304 while nothing changed.

The fragment carries its own address, with `seen=&` in it: the digest of what was sent goes there, and comes back with the
next request. base.html tells htmx to swap nothing on a 304.
"""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.template.loader import render_to_string

TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="\w+"')  # masked anew in every answer, so not a change


def fragment(request: HttpRequest, template: str, context: Mapping[str, Any]) -> HttpResponse:
    """The rendered fragment, or 304 if the page already shows just this."""
    body = render_to_string(template, dict(context), request)
    digest = hashlib.sha256(TOKEN.sub("", body).encode()).hexdigest()[:16]
    if request.GET.get("seen") == digest:
        return HttpResponseNotModified(headers={"HX-Reswap": "none"})  # for pages from before base.html said so
    return HttpResponse(body.replace("seen=&", f"seen={digest}&", 1))
