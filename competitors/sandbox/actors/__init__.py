"""The actors that the sandbox imitates: each module or package here that defines ``ACTOR``."""

import importlib
import pkgutil
from functools import cache

from .base import Actor


@cache
def all_actors() -> tuple[Actor, ...]:
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    return tuple(module.ACTOR for module in modules if hasattr(module, "ACTOR"))


def find_actor(key: str) -> Actor | None:
    """Find an actor by its opaque id or its ``user~name``."""
    return next((actor for actor in all_actors() if key in (actor.id, actor.name)), None)


__all__ = ["Actor", "all_actors", "find_actor"]
