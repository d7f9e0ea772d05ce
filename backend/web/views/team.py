"""A shop's team: every member sees it, owners change it."""

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from backend.shops import team as services
from backend.shops.errors import ShopsRefused
from backend.shops.models import Membership, Role
from backend.web.access import ShopRequest, shop_page
from backend.web.forms.account import NewMemberForm, RoleForm
from backend.web.wording.sales import ROLES


@shop_page
def team(request: ShopRequest) -> HttpResponse:
    return _show(request, NewMemberForm())


@require_POST
@shop_page(at_least=Role.OWNER)
def add_member(request: ShopRequest) -> HttpResponse:
    form = NewMemberForm(request.POST)
    if not form.is_valid():
        return _show(request, form)
    given = form.cleaned_data
    shop, role = request.access.shop, Role(given["role"])
    try:
        if given["existe"]:
            services.add_member(shop=shop, username=given["nom_utilisateur"], role=role)
            messages.success(request, _("%(name)s fait partie de l'équipe.") % {"name": given["nom_utilisateur"]})
            return _back(request)
        member = services.create_member(shop=shop, username=given["nom_utilisateur"], full_name=given["nom"], role=role)
    except ShopsRefused as refusal:
        form.add_error("nom_utilisateur", str(refusal))
        return _show(request, form)
    return _show_link(request, member)


@require_POST
@shop_page(at_least=Role.OWNER)
def change_member(request: ShopRequest, *, member_id: int) -> HttpResponse:
    """Change a role or end a membership, depending on the button."""
    member = _member(request, member_id)
    form = RoleForm(request.POST)
    try:
        if "retirer" in request.POST:
            services.remove_member(member)
            messages.success(request, _("%(name)s ne fait plus partie de l'équipe.") % {"name": member.user})
        elif form.is_valid():
            services.change_role(member, role=Role(form.cleaned_data["role"]))
            messages.success(request, _("Le rôle de %(name)s est changé.") % {"name": member.user})
    except ShopsRefused as refusal:
        messages.error(request, str(refusal))
    return _back(request)


@require_POST
@shop_page(at_least=Role.OWNER)
def password_link(request: ShopRequest, *, member_id: int) -> HttpResponse:
    try:
        return _show_link(request, _member(request, member_id))
    except ShopsRefused as refusal:
        messages.error(request, str(refusal))
        return _back(request)


def _show_link(request: ShopRequest, member: Membership) -> HttpResponse:
    """Show the link once: it is in no address of a page and in no log."""
    uid, token = services.password_link_parts(member, owner=request.user)
    link = request.build_absolute_uri(reverse("web:password_set", args=[uid, token]))
    return render(request, "web/team_link.html", {"member": member, "link": link})


def _show(request: ShopRequest, form: NewMemberForm) -> HttpResponse:
    members = Membership.objects.filter(shop=request.access.shop).select_related("user").order_by("user__username")
    return render(request, "web/team.html", {"members": members, "form": form, "roles": ROLES})


def _member(request: ShopRequest, member_id: int) -> Membership:
    try:
        return Membership.objects.select_related("user").get(pk=member_id, shop=request.access.shop)
    except Membership.DoesNotExist as error:
        raise Http404 from error


def _back(request: ShopRequest) -> HttpResponse:
    return HttpResponseRedirect(request.access.link(reverse("web:team")))
