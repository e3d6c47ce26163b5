"""Job types: found by name, in the `job` modules of installed apps. A new type is one such module and no list elsewhere."""

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured

from .errors import InvalidRequest

if TYPE_CHECKING:
    from .context import Context
    from .models import Brand, Run
    from .parameters import ParameterForm


@dataclass(frozen=True)
class Subject:
    """What a run is about, within its brand: the key is compared and stored, never read into."""

    key: str = ""
    label: str = ""
    url: str = ""


@dataclass(frozen=True)
class Estimate:
    """What a click would cost, before it."""

    cost_usd: Decimal
    cap_usd: Decimal
    seconds: int


@dataclass(frozen=True)
class Done:
    """A handler's answer. `records` moves the freshness clock's figure; a verdict but 'ok' leaves the clock standing."""

    counts: dict[str, int] = field(default_factory=dict)
    records: int = 0
    summary: str = ""
    verdict: str = "ok"
    reason: str = ""


class JobType:
    """Base of every job type. Subclasses say what the work is; the decorator below says what it is called."""

    name: ClassVar[str]
    label: ClassVar[str]
    emoji: ClassVar[str]
    datasets: ClassVar[dict[str, str]]  # key -> label
    source: ClassVar[str]  # the upstream it pays, '' for none
    max_age: ClassVar[timedelta]  # how old its data may be and still count as fresh
    max_runtime: ClassVar[timedelta] = timedelta(minutes=30)  # of one attempt at work; waiting upstream does not count
    Params: "type[ParameterForm]"

    def subject(self, brand: "Brand | None", params: dict[str, Any]) -> Subject:
        """What these parameters are about; one live run per (type, brand, subject)."""
        return Subject()

    def subjects(self, brand: "Brand | None") -> list[Subject]:
        """Every subject the brand has, scraped or not: freshness is counted over these."""
        return [Subject()]

    def estimate(self, brand: "Brand | None", params: dict[str, Any]) -> Estimate | None:
        """Cost and time of a run with these parameters; None where nothing is paid."""
        return None

    def run(self, ctx: "Context", params: dict[str, Any]) -> Done:
        """Do the work. May be called again after a crash or failure: steps, paid starts and landed pages are kept."""
        raise NotImplementedError(f"{type(self).__name__} has no run()")

    def booked(self, run: "Run") -> None:
        """Called in the transaction that completes the run, and in the one in which a person accepts it as good."""


_types: dict[str, JobType] = {}


def job_type(
    name: str,
    *,
    label: str,
    emoji: str,
    datasets: dict[str, str],
    source: str = "",
    max_age: timedelta = timedelta(days=1),
    max_runtime: timedelta = timedelta(minutes=30),
) -> Callable[[type[JobType]], type[JobType]]:
    """Register the class under `name`. A second registration of a name, or a class that lacks its parts, stops the start."""

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
            raise ImproperlyConfigured(f"{where} is registered as job type {name!r} but is no JobType.")
        if not hasattr(cls, "Params") or cls.run is JobType.run:
            raise ImproperlyConfigured(f"Job type {name!r} ({where}) needs a Params form and a run() method.")
        cls.name, cls.label, cls.emoji, cls.datasets, cls.source = name, label, emoji, datasets, source
        cls.max_age, cls.max_runtime = max_age, max_runtime
        _types[name] = cls()
        return cls

    return register


def discover() -> None:
    """Import every module named `job` in the installed apps. An error in one is an error of the start."""
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
    """The job type called so. InvalidRequest where there is none."""
    if handler := find_type(name):
        return handler
    raise InvalidRequest(
        f"There is no job type {name!r}. Known: {', '.join(sorted(_types)) or 'none'}.", {"job_type": ["Unknown job type."]}
    )


def find_type(name: str) -> JobType | None:
    """For whatever has to go on without it: rows outlive the code that made them."""
    return _types.get(name)


def all_types() -> list[JobType]:
    return [_types[name] for name in sorted(_types)]


def longest_work(name: str) -> timedelta:
    """How long one attempt of such a run may work."""
    return (find_type(name) or JobType).max_runtime


def label_of(name: str) -> str:
    """The label for pages; rows may outlive the type they name."""
    return _types[name].label if name in _types else name
