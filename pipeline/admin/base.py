from collections.abc import Callable, Iterable
from functools import reduce
from operator import or_
from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.admin.filters import RelatedFieldListFilter
from django.contrib.admin.utils import get_fields_from_path
from django.db.models import IntegerField, Model, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect

from ..contract.errors import InvalidRequest, NotAllowed
from ..people import Brands, brands_for
from .lookups import SensibleLookups

LONGEST_NUMBER = 19  # digits of what no id can be


class OpenBrands(RelatedFieldListFilter):
    """A filter by brand that names only the brands open to the person."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Any:
        return [(brand.pk, str(brand)) for brand in brands_for(request.user).rows().order_by("name")]


class OfBrands(SensibleLookups):
    """Base of every admin of ours: shows and takes rows of the brands that are open to the person. Others are not found.

    `brand_path`: how a row leads to its brand; '' where rows are of no brand, and everybody may see them.
    """

    # No date_hierarchy where rows are many either: each page view would read every row's date.
    list_per_page = 50
    show_full_result_count = False  # counting a million rows per page is too slow
    brand_path: ClassVar[str] = "brand"

    def of_brands(self, rows: QuerySet[Any], brands: Brands) -> QuerySet[Any]:
        return rows if not self.brand_path else rows.filter(brands.q(self.brand_path))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        brands = brands_for(request.user)
        rows = super().get_queryset(request)
        return rows if brands.every else self.of_brands(rows, brands)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Django would redirect to the index, and name the id."""
        if (found := super().get_object(request, object_id, from_field)) is None:
            raise Http404
        return found

    def get_list_filter(self, request: HttpRequest) -> Any:
        path = self.brand_path
        return [(name, OpenBrands) if name == path and path else name for name in super().get_list_filter(request)]

    def get_field_queryset(self, db: str | None, db_field: Any, request: HttpRequest) -> Any:
        """What a relation may be set to, by a choice, a search or a guessed id."""
        related = self.admin_site._registry.get(db_field.remote_field.model)
        if isinstance(related, OfBrands):
            return related.get_queryset(request)
        return super().get_field_queryset(db, db_field, request)

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> tuple[QuerySet[Any], bool]:
        """Whole values are found by their index. Django itself makes a text of the number of every row there is."""
        names = self.get_search_fields(request)
        if not search_term or not all(name.startswith("=") for name in names):
            return super().get_search_results(request, queryset, search_term)
        for word in search_term.replace("\0", "").split():
            alike = [Q(**{name[1:]: word}) for name in names if self._may_be(name[1:], word)]
            queryset = queryset.filter(reduce(or_, alike)) if alike else queryset.none()
        return queryset, False

    def _may_be(self, name: str, word: str) -> bool:
        is_number = isinstance(get_fields_from_path(self.model, name)[-1], IntegerField)
        return not is_number or (word.isdecimal() and len(word) < LONGEST_NUMBER)

    def view_on_site(self, row: Any) -> str:
        """The page itself, not Django's redirect, which would look up any row by its id."""
        return str(row.get_absolute_url()) if hasattr(row, "get_absolute_url") else ""

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """What the api refuses while it is saved is said in its words."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except (NotAllowed, InvalidRequest) as error:
            messages.error(request, str(error))
            return HttpResponseRedirect(request.get_full_path())


class EngineRows(OfBrands):
    """Rows that only the engine writes. Read-only: an edit here could break runs that workers are using."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def act_on_each(request: HttpRequest, objects: Iterable[Model], act: Callable[[Any], Any], done: str) -> None:
    """Act on each object, then report how many succeeded and why the others were refused."""
    count, refused = 0, []
    for one in objects:
        try:
            act(one)
            count += 1
        except (NotAllowed, InvalidRequest) as error:
            refused.append(str(error))
    if count:
        messages.success(request, f"{done}: {count}.")
    for words in refused[:5]:
        messages.warning(request, words)
    if len(refused) > 5:
        messages.warning(request, f"{len(refused) - 5} more were refused.")
