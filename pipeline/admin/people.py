"""People in the stock admin: one role each, and the brands that they are limited to.

Who is limited to some brands manages nobody: they could lift their own limit.
"""

from typing import Any

from auditlog.models import LogEntry
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.http import HttpRequest

from ..models import BrandLimit
from ..people import ROLES, assign, brands_for, let_try_again, role_of, sign_out_everywhere
from .lookups import SensibleLookups

NAMES = [role.name for role in ROLES]
ROLE_CHOICES = [("", "No role"), *((role.name, f"{role.name.capitalize()}: can {role.does}") for role in ROLES)]


class WithRole(forms.ModelForm):
    role = forms.ChoiceField(
        choices=ROLE_CHOICES,
        required=False,
        help_text="Each can also do what the ones above it can. Managers and admins may open the admin.",
    )


class ChangeForm(WithRole, UserChangeForm):
    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.initial["role"] = getattr(role_of(self.instance), "name", "")
        if "groups" in self.fields:
            self.fields["groups"].queryset = Group.objects.exclude(name__in=NAMES)  # type: ignore[attr-defined]


class AddForm(WithRole, AdminUserCreationForm):
    pass


class BrandLimitInline(admin.StackedInline):
    model = BrandLimit
    filter_horizontal = ("brands",)
    verbose_name_plural = "Brand limit: without one, every brand is open"
    extra = 1  # the row has no button without JavaScript; left empty, it is not saved


class ManagesPeople(SensibleLookups):
    """For whoever has the permission and no brand limit."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) and brands_for(request.user).every

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and brands_for(request.user).every

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and self._within_reach(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and self._within_reach(request, obj)

    def _within_reach(self, request: HttpRequest, obj: Any) -> bool:
        return brands_for(request.user).every and (obj is None or self.in_reach(request, obj))

    def in_reach(self, request: HttpRequest, obj: Any) -> bool:
        """Whether the person may change this one. A subclass says when."""
        return False


class PeopleAdmin(ManagesPeople, UserAdmin):
    form, add_form = ChangeForm, AddForm
    list_display = ("username", "email", "role", "brands", "is_active", "last_login")
    list_filter = ("is_active", "groups")
    inlines = (BrandLimitInline,)
    actions = ("end_sessions", "forget_failures")
    filter_horizontal = ("groups",)
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Personal", {"fields": ("first_name", "last_name", "email")}),
        ("May", {"fields": ("is_active", "role", "groups")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("username", "usable_password", "password1", "password2", "role")}),)

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).select_related("brand_limit").prefetch_related("groups", "brand_limit__brands")

    @admin.display(description="Role")
    def role(self, user: User) -> str:
        return "superuser" if user.is_superuser else str(getattr(role_of(user), "name", "–"))

    @admin.display(description="Brands")
    def brands(self, user: User) -> str:
        limit: BrandLimit | None = getattr(user, "brand_limit", None)
        return ", ".join(map(str, limit.brands.all())) if limit else "all"

    @admin.action(description="Sign out everywhere", permissions=["change"])
    def end_sessions(self, request: HttpRequest, people: QuerySet[User]) -> None:
        chosen = self._in_reach(request, people)
        ended = sign_out_everywhere(*chosen)
        messages.success(request, f"Signed out everywhere: {', '.join(map(str, chosen))}. Sessions ended: {ended}.")

    @admin.action(description="Let them sign in again after too many failures", permissions=["change"])
    def forget_failures(self, request: HttpRequest, people: QuerySet[User]) -> None:
        chosen = self._in_reach(request, people)
        let_try_again([person.get_username() for person in chosen])
        messages.success(request, f"Failed sign-ins forgotten: {', '.join(map(str, chosen))}.")

    def _in_reach(self, request: HttpRequest, people: QuerySet[User]) -> list[User]:
        chosen = [person for person in people if self.in_reach(request, person)]
        if len(chosen) < len(people):
            messages.warning(request, "Only a superuser does this for a superuser.")
        return chosen

    def in_reach(self, request: HttpRequest, obj: Any) -> bool:
        """Only a superuser changes a superuser: a new password would be a way to become one."""
        return bool(request.user.is_superuser or not obj.is_superuser)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        assign(form.instance, form.cleaned_data["role"])


class OtherGroups(ManagesPeople, GroupAdmin):
    """The groups of the roles are kept by `migrate`: a change here would not last."""

    def in_reach(self, request: HttpRequest, obj: Any) -> bool:
        return obj.name not in NAMES


admin.site.unregister(LogEntry)  # the audit log is a page of its own
for model, ours in ((User, PeopleAdmin), (Group, OtherGroups)):
    admin.site.unregister(model)
    admin.site.register(model, ours)
