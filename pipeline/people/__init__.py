"""Who may do what: the roles, the brands that are open to a person, and the rights that the api asks for."""

from .brands import Brands, brands_for, limit_to
from .rights import can_words, check_page, may, may_spend, platform_words, require, require_spend
from .roles import ROLES, Role, assign, role_of, role_with, sync_groups
from .sessions import end_every_session, sign_out_everywhere
from .sign_in import let_try_again, refused_until

__all__ = [
    "ROLES",
    "Brands",
    "Role",
    "assign",
    "brands_for",
    "can_words",
    "check_page",
    "end_every_session",
    "let_try_again",
    "limit_to",
    "may",
    "may_spend",
    "platform_words",
    "refused_until",
    "require",
    "require_spend",
    "role_of",
    "role_with",
    "sign_out_everywhere",
    "sync_groups",
]
