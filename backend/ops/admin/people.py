"""People and groups. Only a superuser makes one, or opens the account of another member of staff."""

from django import forms
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backend.ops.admin.lists import QuickAdmin, ReadOnlyAdmin
from backend.ops.admin.site import site

POWERS = ("is_staff", "is_superuser", "groups", "user_permissions")


class UserForm(forms.ModelForm):
    """Leaves out the password's hash, even its beginning."""

    class Meta:
        model = User
        fields = ("username", "first_name", "last_name", "email", "is_active", *POWERS)


@admin.register(User, site=site)
class PersonAdmin(QuickAdmin, UserAdmin):
    """Accounts are never deleted: a person who leaves is made inactive, and the records keep the name."""

    form = UserForm
    finds = ("username", "pk")
    search_fields = ()
    list_display = ("username", "first_name", "last_name", "is_active", "is_staff", "is_superuser")
    list_filter = ()
    fieldsets = (
        (None, {"fields": ("username", "password_link")}),
        (None, {"fields": ("first_name", "last_name", "email", "is_active")}),
        (gettext_lazy("Droits"), {"fields": POWERS}),
        (None, {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = ("password_link", "last_login", "date_joined")

    @admin.display(description=gettext_lazy("Mot de passe"))
    def password_link(self, user: User) -> SafeString:
        address = reverse("admin:auth_user_password_change", args=[user.pk])
        return format_html('<a href="{}">{}</a>', address, _("En donner un autre"))

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        return self.readonly_fields if request.user.is_superuser else (*self.readonly_fields, *POWERS)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        is_power = obj is not None and obj != request.user and (obj.is_staff or obj.is_superuser)
        return super().has_change_permission(request, obj) and (request.user.is_superuser or not is_power)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False


@admin.register(Group, site=site)
class RightsAdmin(QuickAdmin, GroupAdmin):
    """A group is a set of rights. Only a superuser changes one: anybody else could grant themselves any right."""

    finds = ("name",)
    search_fields = ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return request.user.is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return request.user.is_superuser


@admin.register(LogEntry, site=site)
class LogEntryAdmin(ReadOnlyAdmin):
    list_display = ("action_time", "user", "content_type", "object_repr", "action_flag")
    list_select_related = ("user", "content_type")
    finds = ("pk",)
