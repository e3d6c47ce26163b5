"""Who may do what: the roles, the brands that are open to a person, and the rights that the api asks for."""

from .brands import Brands, brands_for, limit_to
from .rights import can_words, may, may_spend, platform_words, require, require_spend
from .roles import ROLES, Role, assign, role_of, role_with, sync_groups

__all__ = [
    "ROLES",
    "Brands",
    "Role",
    "assign",
    "brands_for",
    "can_words",
    "limit_to",
    "may",
    "may_spend",
    "platform_words",
    "require",
    "require_spend",
    "role_of",
    "role_with",
    "sync_groups",
]
