from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import admin, messages
from django.db.models import Model
from django.http import HttpRequest

from ..contract.errors import InvalidRequest, NotAllowed


class EngineRows(admin.ModelAdmin):
    """Rows that only the engine writes: to look at, not to change. One would not edit a queue under its workers' hands."""

    list_per_page = 50
    show_full_result_count = False  # a count over a million rows is nobody's wish

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def act_on_each(request: HttpRequest, objects: Iterable[Model], act: Callable[[Any], Any], done: str) -> None:
    """Do it to each, and say to how many it was done and why not to the others."""
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
