"""Job types by name, found in the `job` modules of installed apps. A new type needs only such a module."""

import pkgutil
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from importlib import import_module
from inspect import isabstract

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured

from ..words import counted
from .errors import InvalidRequest
from .job_type import JobType
from .tally import rows_met

_types: dict[str, JobType] = {}


def job_type(
    name: str,
    *,
    label: str,
    emoji: str,
    datasets: dict[str, str],
    own_clocks: Iterable[str] = (),
    source: str = "",
    row: str = "row",
    actor: str = "",
    max_age: timedelta = timedelta(days=1),
    max_runtime: timedelta = timedelta(minutes=30),
    reuse_within: timedelta = timedelta(0),
    version: int = 1,
    permission: str = "",
    internal: bool = False,
) -> Callable[[type[JobType]], type[JobType]]:
    """Register the class under `name`. Django does not start if two classes share a name, or if one lacks Params or run().

    `own_clocks`: the datasets that parts of a run refresh by ctx.dataset(). All others are as fresh as their last good run.
    `actor`: what it pays at the source, per item.
    `version`: raise it when the result of a step changes its meaning. Workers with older code then leave such a run alone, and
    newer code repeats the steps that older code recorded. Paid starts and saved pages are never repeated.

    `permission`: "app.codename", the right to start this type and no other.
    `internal`: the product starts it for itself. It has no data and no schedule, and no form offers it. Its runs are in Active
    and History only.
    """

    def register(cls: type[JobType]) -> type[JobType]:
        where = f"{cls.__module__}.{cls.__qualname__}"
        if (
            name in _types
            and type(_types[name]).__qualname__ + type(_types[name]).__module__ != cls.__qualname__ + cls.__module__
        ):
            raise ImproperlyConfigured(
                f"Two job types are called {name!r}: {type(_types[name]).__module__} and {where}. Rename one."
            )
        if not (isinstance(cls, type) and issubclass(cls, JobType)):
            raise ImproperlyConfigured(f"{where} is registered as job type {name!r} but is not a JobType.")
        if not hasattr(cls, "Params") or isabstract(cls):
            raise ImproperlyConfigured(f"Job type {name!r} ({where}) needs a Params form and a run() method.")
        if unknown := sorted(set(own_clocks) - set(datasets)):
            raise ImproperlyConfigured(f"Job type {name!r} ({where}) has no dataset {', '.join(unknown)} to give a clock to.")
        if internal and datasets:
            raise ImproperlyConfigured(f"Job type {name!r} ({where}) is internal: it cannot have datasets.")
        cls.own_clocks = frozenset(own_clocks)
        cls.name, cls.label, cls.emoji, cls.datasets, cls.source, cls.actor = name, label, emoji, datasets, source, actor
        cls.row, cls.max_age, cls.max_runtime, cls.version = row, max_age, max_runtime, version
        cls.permission, cls.internal = permission, internal
        cls.reuse_within = reuse_within
        _types[name] = cls()
        return cls

    return register


def discover() -> None:
    """Import every module named `job` in the installed apps. An error in one stops the start."""
    for config in apps.get_app_configs():
        if config.name.startswith("django."):
            continue
        package = import_module(config.name)
        for module in pkgutil.walk_packages(package.__path__, f"{config.name}."):
            if module.name.rpartition(".")[2] == "job":
                try:
                    import_module(module.name)
                except ImproperlyConfigured:
                    raise
                except Exception as error:
                    raise ImproperlyConfigured(f"The job module {module.name} cannot be loaded: {error}") from error


def get_type(name: str) -> JobType:
    """The job type of that name. InvalidRequest where there is none."""
    if handler := find_type(name):
        return handler
    raise InvalidRequest(
        f"There is no job type {name!r}. Known: {', '.join(sorted(_types)) or 'none'}.", {"job_type": ["Unknown job type."]}
    )


def find_type(name: str) -> JobType | None:
    """The job type, or None: rows outlive the code that made them."""
    return _types.get(name)


def all_types() -> list[JobType]:
    return [_types[name] for name in sorted(_types)]


def offered_types() -> list[JobType]:
    """Those that people start and schedule, and that Health counts: all but the internal ones."""
    return [one for one in all_types() if not one.internal]


def is_internal(name: str) -> bool:
    return (find_type(name) or JobType).internal


def internal_names() -> list[str]:
    return [one.name for one in all_types() if one.internal]


def versions() -> dict[str, int]:
    """The version of each job type's code here, by name."""
    return {name: handler.version for name, handler in _types.items()}


def version_of(name: str) -> int:
    """The version of the type's code here, 0 where there is none."""
    return versions().get(name, 0)


def longest_work(name: str) -> timedelta:
    """How long one attempt of such a run may work."""
    return (find_type(name) or JobType).max_runtime


def saved_words(name: str, counts: Mapping[str, int]) -> str:
    """'373 rows saved.', in the type's own word for them: what a run of it holds. '' for nothing."""
    rows = rows_met(counts)
    return f"{counted(rows, (find_type(name) or JobType).row)} saved." if rows else ""


def label_of(name: str) -> str:
    """The label for pages; rows may outlive the type they name."""
    return _types[name].label if name in _types else name
