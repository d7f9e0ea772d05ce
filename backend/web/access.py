"""Access to shops: every page of a shop goes through here and shows nothing of any other shop (promise P8)."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import overload
from zoneinfo import ZoneInfo

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django_htmx.middleware import HtmxDetails

from backend.observability.request_log import note
from backend.shops.models import Membership, Role, Shop

SHOP_PARAMETER = "boutique"
SESSION_KEY = "shop_code"

# In ascending order. A viewer reads; a manager runs the shop; an owner also manages its members.
RANKS = (Role.VIEWER, Role.MANAGER, Role.OWNER)

View = Callable[..., HttpResponseBase]


@dataclass(frozen=True)
class Access:
    """A person's role in the shop that is shown, and all the shops of that person."""

    shop: Shop
    role: Role
    shops: tuple[Shop, ...]

    def is_at_least(self, role: Role) -> bool:
        return RANKS.index(self.role) >= RANKS.index(role)

    @property
    def may_manage(self) -> bool:
        return self.is_at_least(Role.MANAGER)

    @property
    def is_owner(self) -> bool:
        return self.role is Role.OWNER

    @property
    def has_choice(self) -> bool:
        return len(self.shops) > 1

    @property
    def shop_ids(self) -> list[int]:
        return [shop.pk for shop in self.shops]

    def link(self, path: str, **parameters: object) -> str:
        """Return `path` with `parameters`, and with the shop if the person has several, so that two tabs do not mix."""
        chosen = {SHOP_PARAMETER: self.shop.code} if self.has_choice else {}
        query = urlencode(
            {**chosen, **{name: str(value) for name, value in parameters.items() if value not in (None, "")}}
        )
        return f"{path}?{query}" if query else path


class ShopRequest(HttpRequest):
    """Types a request as `shop_page` passes it to a view: signed in, with `access`. Never instantiated."""

    user: User
    access: Access
    htmx: HtmxDetails


@overload
def shop_page(view: View) -> View: ...
@overload
def shop_page(*, at_least: Role) -> Callable[[View], View]: ...
def shop_page(view: View | None = None, *, at_least: Role = Role.VIEWER) -> View | Callable[[View], View]:
    """Run `view` only for a signed-in member of a shop, with `request.access` set and the shop's timezone active.

    at_least: the required role in that shop. A lower role gets a 403, a person who is not a member a 404.
    """

    def guard(view: View) -> View:
        return _for_members(view, at_least)

    return guard if view is None else guard(view)


def _for_members(view: View, at_least: Role) -> View:
    @never_cache
    @login_required
    @wraps(view)
    def for_members(request: ShopRequest, **arguments: object) -> HttpResponseBase:
        memberships = memberships_of(request.user)
        if not memberships:
            return render(request, "web/no_shop.html")
        request.access = choose_shop(request, memberships)
        note(request, user=request.user.pk, shop=request.access.shop.pk)
        if not request.access.is_at_least(at_least):
            raise PermissionDenied
        with timezone.override(ZoneInfo(request.access.shop.timezone)):
            return view(request, **arguments)

    return for_members


def memberships_of(user: User) -> list[Membership]:
    return list(Membership.objects.filter(user=user).select_related("shop").order_by("shop__name", "shop__code"))


def choose_shop(request: HttpRequest, memberships: list[Membership]) -> Access:
    """Return the access to the shop that the address names, else to the last chosen one, else to the first.

    Raises Http404 for a shop that is not the person's, exactly as for one that does not exist.
    """
    by_code = {membership.shop.code: membership for membership in memberships}
    named = request.GET.get(SHOP_PARAMETER)
    if named is not None:
        if named not in by_code:
            raise Http404
        if request.session.get(SESSION_KEY) != named:
            request.session[SESSION_KEY] = named
        chosen = by_code[named]
    else:
        chosen = by_code.get(request.session.get(SESSION_KEY, ""), memberships[0])
    shops = tuple(membership.shop for membership in memberships)
    return Access(shop=chosen.shop, role=Role(chosen.role), shops=shops)


def redirect_to_shop(request: ShopRequest, *, shop_id: int) -> HttpResponse | None:
    """Return a redirect to the same page in the person's shop `shop_id`; None if that shop is shown already."""
    if shop_id == request.access.shop.pk:
        return None
    code = next(shop.code for shop in request.access.shops if shop.pk == shop_id)
    return HttpResponseRedirect(f"{request.path}?{urlencode({SHOP_PARAMETER: code})}")
