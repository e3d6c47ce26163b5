from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import admin, messages
from django.db.models import Model
from django.http import HttpRequest

from ..contract.errors import InvalidRequest, NotAllowed


class EngineRows(admin.ModelAdmin):
    """Rows that only the engine writes. Read-only: an edit here could break runs that workers are using."""

    list_per_page = 50
    show_full_result_count = False  # counting a million rows per page is too slow

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
