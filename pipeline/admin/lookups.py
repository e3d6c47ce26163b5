"""What is asked of a list and makes no sense: people type addresses, and scanners guess them."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG
from django.core.exceptions import FieldError, ValidationError
from django.db import DataError, NotSupportedError, ProgrammingError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

# Django catches some of these while it reads the address, and none while the database does.
NONSENSE = (ValueError, TypeError, IndexError, OverflowError, FieldError, DataError, NotSupportedError, ProgrammingError)


class SensibleLookups(admin.ModelAdmin):
    """A list that says that it shows all rows, where the address asks for what cannot be."""

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """No patterns: a bad one takes as long as it likes, and lists have none to offer."""
        return not lookup.endswith("regex") and super().lookup_allowed(lookup, value, request)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        try:
            return super().get_changelist_instance(request)
        except NONSENSE as error:
            raise IncorrectLookupParameters from error

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        answer = super().changelist_view(request, extra_context)
        if answer.status_code == 302 and answer["Location"] == f"{request.path}?{ERROR_FLAG}=1":
            messages.warning(request, "This list cannot be filtered or sorted as the address asks. It shows all rows.")
        return answer

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> tuple[QuerySet[Any], bool]:
        """No row of PostgreSQL has a NUL, and it refuses to look for one."""
        return super().get_search_results(request, queryset, search_term.replace("\0", ""))

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:  # type: ignore[override]
        key = self.model._meta.pk
        try:
            for ticked in request.POST.getlist(ACTION_CHECKBOX_NAME):
                key.run_validators(key.to_python(ticked))
        except ValidationError:
            messages.warning(request, "Nothing was done: a ticked row cannot be in this list. Tick the rows again.")
            return None
        return super().response_action(request, queryset)
