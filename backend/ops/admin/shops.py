"""Shops, their tills and devices: an operator changes them through the services that know the rules."""

from collections.abc import Callable
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from backend.ops.admin.lists import QuickAdmin, ReadOnlyAdmin
from backend.ops.admin.site import site
from backend.shops.devices import disable_device, enable_device
from backend.shops.errors import ShopsRefused
from backend.shops.models import Device, DeviceState, EnrolmentCode, Membership, Role, Shop, Terminal, TerminalState
from backend.shops.team import change_role, remove_member
from backend.shops.terminals import disable_till, enable_till

CURRENCY_LENGTH = 3


class ShopForm(forms.ModelForm):
    class Meta:
        model = Shop
        fields = (
            "code", "name", "currency", "currencies", "timezone", "stock_policy", "legal_name", "address", "phone",
            "nif", "rccm", "id_nat", "vat_regime",
        )  # fmt: skip

    def clean_currency(self) -> str:
        return _currency(self.cleaned_data["currency"])

    def clean_currencies(self) -> str:
        codes = [_currency(code) for code in self.cleaned_data["currencies"].split(",")]
        return ",".join(dict.fromkeys(codes))


def _currency(text: str) -> str:
    code = text.strip().upper()
    if len(code) != CURRENCY_LENGTH or not code.isascii() or not code.isalpha():
        raise ValidationError(_("« %(code)s » n’est pas le code d’une devise, comme CDF.") % {"code": text.strip()})
    return code


@admin.register(Shop, site=site)
class ShopAdmin(QuickAdmin):
    """A shop is created and described here. It is never deleted, because all its rows refer to it."""

    form = ShopForm
    list_display = ("code", "name", "currency", "timezone", "stock_policy")
    finds = ("code", "pk")

    def get_readonly_fields(self, request: HttpRequest, obj: Shop | None = None) -> tuple[str, ...]:
        # Registration numbers and printed tickets carry the code.
        return ("code",) if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Shop | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Shop, form: ShopForm, change: bool) -> None:
        if change:
            obj.save(update_fields=form.changed_data)
        else:
            obj.save(force_insert=True)


class ServiceAdmin(QuickAdmin):
    """Saves through services that may refuse. A refusal is shown as a message, and nothing is changed."""

    def changeform_view(self, request: HttpRequest, *arguments: Any, **options: Any) -> HttpResponse:
        return self._show_refusal(request, super().changeform_view, *arguments, **options)

    def delete_view(self, request: HttpRequest, *arguments: Any, **options: Any) -> HttpResponse:
        return self._show_refusal(request, super().delete_view, *arguments, **options)

    def _show_refusal(
        self, request: HttpRequest, view: Callable[..., HttpResponse], *arguments: Any, **options: Any
    ) -> HttpResponse:
        try:
            return view(request, *arguments, **options)
        except ShopsRefused as refusal:
            messages.error(request, str(refusal))
            return HttpResponseRedirect(request.get_full_path())


@admin.register(Membership, site=site)
class MembershipAdmin(ServiceAdmin):
    list_display = ("user", "shop", "role")
    list_select_related = ("user", "shop")
    finds = ("user__username", "shop__code")
    narrows = ("shop__id__exact", "user__id__exact")
    raw_id_fields = ("user", "shop")

    def get_readonly_fields(self, request: HttpRequest, obj: Membership | None = None) -> tuple[str, ...]:
        return ("user", "shop") if obj else ()

    def save_model(self, request: HttpRequest, obj: Membership, form: object, change: bool) -> None:
        if change:
            change_role(obj, role=Role(obj.role))
        else:
            obj.save(force_insert=True)

    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        remove_member(obj)


@admin.register(Terminal, site=site)
class TerminalAdmin(ServiceAdmin):
    """Only a till's state is changed here. Its shop never changes, and the shop's own pages enrol its devices."""

    list_display = ("pk", "name", "shop", "state", "is_office")
    list_select_related = ("shop",)
    finds = ("pk", "shop__code", "devices__serial")
    narrows = ("shop__id__exact",)
    readonly_fields = ("name", "shop", "is_office", "created_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Terminal | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Terminal, form: forms.ModelForm, change: bool) -> None:
        if "state" in form.changed_data:
            (disable_till if obj.state == TerminalState.DISABLED else enable_till)(obj)


class DeviceForm(forms.ModelForm):
    STATES: ClassVar = (DeviceState.ACTIVE, DeviceState.DISABLED)

    def clean_state(self) -> str:
        state = self.cleaned_data["state"]
        if "state" in self.changed_data and state not in self.STATES:
            raise ValidationError(_("Un appareil est remplacé par celui qui prend sa caisse, et pas à la main."))
        return state


@admin.register(Device, site=site)
class DeviceAdmin(ServiceAdmin):
    """These pages read no token and no hash, so they cannot show one."""

    form = DeviceForm
    fields = (
        "serial", "terminal", "state", "auth_mode", "answer_mode", "model", "app_version", "last_seen_at", "last_ip",
        "clock_skew_s", "replaced_at", "created_at",
    )  # fmt: skip
    readonly_fields = tuple(name for name in fields if name != "state")
    list_display = ("serial", "terminal", "state", "auth_mode", "answer_mode", "app_version", "last_seen_at")
    list_select_related = ("terminal",)
    finds = ("serial", "pk")
    narrows = ("terminal__id__exact",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Device]:
        return super().get_queryset(request).defer("token_hash", "next_token_hash")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Device | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Device, form: DeviceForm, change: bool) -> None:
        if "state" in form.changed_data:
            (disable_device if obj.state == DeviceState.DISABLED else enable_device)(obj)


@admin.register(EnrolmentCode, site=site)
class EnrolmentCodeAdmin(ReadOnlyAdmin):
    fields = ("terminal", "replaces", "created_by", "created_at", "expires_at", "used_at", "used_by_serial")
    list_display = ("pk", "terminal", "created_by", "created_at", "expires_at", "used_at", "used_by_serial")
    list_select_related = ("terminal", "created_by")
    finds = ("pk",)
    narrows = ("terminal__id__exact",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[EnrolmentCode]:
        return super().get_queryset(request).defer("code_hash")
