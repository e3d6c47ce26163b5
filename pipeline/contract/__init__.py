"""What a job type or a source is made of, and what it is given. The domain imports these names from here."""

from .context import Context, DatasetClock, Ingested, PageResult
from .errors import (
    AmbiguousStart,
    BlockedError,
    Cancelled,
    CredentialRejected,
    InvalidRequest,
    ItemsGone,
    NotAllowed,
    PermanentError,
    PipelineError,
    RunError,
    SlowDown,
    TransientError,
    UpstreamDown,
)
from .job_type import Brought, Done, Estimate, JobType, Subject
from .landing import Landed, land
from .notices import NeededBy, Notice, register_notices, register_page
from .parameters import ParameterForm, UsualNumber
from .registry import find_type, get_type, job_type
from .source import Offer, Order, Page, Price, Seen, Source, Upstream, cents, get_source, register_source, register_upstream
from .tally import rows_met

__all__ = [
    "AmbiguousStart",
    "BlockedError",
    "Brought",
    "Cancelled",
    "Context",
    "CredentialRejected",
    "DatasetClock",
    "Done",
    "Estimate",
    "Ingested",
    "InvalidRequest",
    "ItemsGone",
    "JobType",
    "Landed",
    "NeededBy",
    "NotAllowed",
    "Notice",
    "Offer",
    "Order",
    "Page",
    "PageResult",
    "ParameterForm",
    "PermanentError",
    "PipelineError",
    "Price",
    "RunError",
    "Seen",
    "SlowDown",
    "Source",
    "Subject",
    "TransientError",
    "Upstream",
    "UpstreamDown",
    "UsualNumber",
    "cents",
    "find_type",
    "get_source",
    "get_type",
    "job_type",
    "land",
    "register_notices",
    "register_page",
    "register_source",
    "register_upstream",
    "rows_met",
]
