from collections.abc import Iterator
from typing import Any

import pytest

from competitors.sandbox.server import Sandbox, serve

TOKEN = "EAAB-everybodys-token-0123456789"


@pytest.fixture(scope="module")
def served() -> Iterator[Sandbox]:
    with serve(seed=7, ads_per_account=30) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(served: Sandbox, settings: Any) -> Iterator[Sandbox]:
    """A Graph API without faults, and the settings that lead there."""
    settings.META_GRAPH_URL, settings.META_ACCESS_TOKEN = served.graph_url, TOKEN
    yield served
    served.account.forget()
