"""Pages of many wide rows. Keys alone are sorted and skipped; whole rows are read for the page that is shown."""

from typing import Any

from django.core.paginator import Page, Paginator


class DeepPaginator(Paginator):
    """Of a queryset whose order leaves no two rows equal."""

    object_list: Any

    def page(self, number: Any) -> Page[Any]:
        found: Any = super().page(number)
        found.object_list = self.object_list.filter(pk__in=found.object_list.values("pk"))
        return found
