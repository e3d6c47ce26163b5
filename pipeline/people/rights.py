"""The rights that pipeline.api asks for before it changes anything, whoever calls it. None is the system, and may."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404

from ..contract.errors import NotAllowed
from ..contract.registry import find_type
from .brands import brands_for
from .roles import permission_names, role_with

SPEND = "pipeline.scrape_run"
SPEND_FOR_PLATFORM = "pipeline.scrape_platform"


def may(user: Any, permission: str, brand_id: UUID | None) -> bool:
    """Whether the user has the permission, and the brand (None: the platform) is open to them."""
    return _refusal(user, [permission], brand_id) == ""


def may_spend(user: Any, brand_id: UUID | None, job_type: str) -> bool:
    """Whether the user may start paid work of this type for the brand.

    For the platform: managers, and operators without a brand limit.
    """
    return _refusal_to_start(user, brand_id, job_type) == ""


def require(user: Any, permission: str, brand_id: UUID | None) -> None:
    """NotAllowed, with a sentence, unless may()."""
    if words := _refusal(user, [permission], brand_id, anew=True):
        raise NotAllowed(words)


def require_spend(user: Any, brand_id: UUID | None, job_type: str) -> None:
    """NotAllowed, with a sentence, unless may_spend()."""
    if words := _refusal_to_start(user, brand_id, job_type, anew=True):
        raise NotAllowed(words)


def can_words(*permissions: str) -> str:
    """Who can do it: 'Only managers can accept results. Ask one.'"""
    named = {one: permission_names().get(one, f"Can use {one}") for one in permissions}
    sentences = sorted(f"Only {role_with(one)} {name[0].lower()}{name[1:]}." for one, name in named.items())
    whom = "one" if len({role_with(one) for one in permissions}) == 1 else "one of them"
    return " ".join([*sentences, f"Ask {whom}."])


def platform_words() -> str:
    """Who may see and do what is of no single brand."""
    who = f"{role_with(SPEND_FOR_PLATFORM)} and people without a brand limit"
    return f"This is for no single brand. Only {who} can do it. Ask one."


def check_page(user: Any, permissions: Iterable[str], *, platform: bool, address: Mapping[str, Any]) -> None:
    """PermissionDenied, with a sentence, unless the user has all of these. Http404 if the brand in the address is not theirs."""
    for permission in permissions:
        if not user.has_perm(permission):
            raise PermissionDenied(can_words(permission))
    brands = brands_for(user)
    if platform and None not in brands:
        raise PermissionDenied(platform_words())
    if "brand" in address and not brands.every and not brands.rows().filter(slug=address["brand"]).exists():
        raise Http404


def _refusal_to_start(user: Any, brand_id: UUID | None, job_type: str, *, anew: bool = False) -> str:
    handler = find_type(job_type)
    if handler and handler.personal and user is not None and user.is_active:
        return ""
    return _refusal(user, _spending(job_type), brand_id, anew=anew)


def _spending(job_type: str) -> list[str]:
    """The permissions of which each is the right to spend: on every type, or on this one."""
    handler = find_type(job_type)
    return [SPEND, *([handler.permission] if handler and handler.permission else [])]


def _refusal(user: Any, one_of: list[str], brand_id: UUID | None, *, anew: bool = False) -> str:
    """Why not; '' if the user may. The words are the same for a brand that is not open and one that does not exist."""
    if user is None:
        return ""
    if brand_id not in brands_for(user, anew=anew):
        if brand_id is None:
            return platform_words()
        return "There is no such brand for you. Ask your admin to open it."
    return "" if any(user.has_perm(permission) for permission in one_of) else can_words(one_of[0])
