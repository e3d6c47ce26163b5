"""A page fragment that polls while something is live. The answer is 304 while nothing changed.

The fragment carries its own address, with `seen=&` in it: the digest of what was sent goes there, and comes back with the
next request. base.html tells htmx to swap nothing on a 304. As long as the database's change stamp is the same, nothing is read.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.middleware.csrf import get_token
from django.template.loader import render_to_string

from .. import queries
from ..people import brands_for

TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="\w+"')  # masked anew in every answer, so not a change
FORM_KEY = "<the key of a form>"
# Words that the clock may change at once; not "every 3 s", nor how long something took (the filter `lasted`, or "6 m 59 s").
SECONDS = re.compile(r"\d s so far|\d seconds?\b|(?<![\d.])(?<! m )(?<!every )(?!0\.0 )[\d.]+ s\b(?!</time>)")
PLACE = "<!-- the part that polls -->"  # no text of others has it: that is escaped
KEPT = 60  # seconds; all other words that depend on the clock are of minutes


def fragment(
    request: HttpRequest, template: str, build: Callable[[], Mapping[str, Any]], *, of: Any = "", shared: bool = False
) -> HttpResponse:
    """The rendered fragment, or 304 if the page already shows just this. `of`: what it depends on besides person and address.

    `shared`: it says the same to all who have the same rights and brands, as it never calls its reader "you".
    """
    asked = sorted((name, values) for name, values in request.GET.lists() if name != "seen")
    digest, body = _rendered(request, template, build, _key(request, request.path, asked, of, shared))
    if request.GET.get("seen", "") == digest:
        return _not_modified()
    return HttpResponse(_sent(request, digest, body))


def around(
    request: HttpRequest, page: str, url: str, template: str, build: Callable[[], Mapping[str, Any]], *, shared: bool = False
) -> HttpResponse:
    """A page with the fragment of `url` at its `PLACE`, as that would answer: it is rendered once for pages and polls, and the

    first poll has nothing new. The page asks for nothing by its own query.
    """
    digest, body = _rendered(request, template, build, _key(request, url, [], "", shared))
    return HttpResponse(render_to_string(page, {}, request).replace(PLACE, _sent(request, digest, body), 1))


def _rendered(request: HttpRequest, template: str, build: Callable[[], Mapping[str, Any]], key: str) -> tuple[str, str]:
    """Digest and body; those that were made last if nothing has changed since."""
    stamp = queries.change_stamp()  # before anything is read
    kept = cache.get(key)
    if stamp and kept and kept[0] == stamp:
        return kept[1], kept[2]
    body = TOKEN.sub(FORM_KEY, render_to_string(template, dict(build()), request))
    digest = _digest(body)
    if stamp and not SECONDS.search(body):
        cache.set(key, (stamp, digest, body), KEPT)
    return digest, body


def _sent(request: HttpRequest, digest: str, body: str) -> str:
    token = f'name="csrfmiddlewaretoken" value="{get_token(request)}"'
    return body.replace("seen=&", f"seen={digest}&", 1).replace(FORM_KEY, token)


def _key(request: HttpRequest, path: str, asked: list[Any], of: Any, shared: bool) -> str:
    """Equal where rights, brands, address and `of` are, and the person, unless it is shared."""
    return "live-" + _digest(repr((path, asked, sight_of(request.user), (of, None if shared else request.user.pk))))


def sight_of(user: Any) -> str:
    """Equal for those who have the same rights and brands: to them, pages say the same of what they all see."""
    rights = ["all"] if user.is_superuser else [user.is_staff, *sorted(user.get_all_permissions())]
    brands = brands_for(user)
    ids = ["all"] if brands.ids is None else sorted(map(str, brands.ids))
    return _digest(repr((rights, ids, brands.platform)))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _not_modified() -> HttpResponse:
    return HttpResponseNotModified(headers={"HX-Reswap": "none"})  # for pages from before base.html said so
