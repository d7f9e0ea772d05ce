"""A shop's members and their roles, and the link by which a member sets a password.

A shop always has an owner. A link may only be made for a member who belongs to none but this owner's shops: otherwise
the owner could take over an account that sees another shop.
"""

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.db import IntegrityError, transaction
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.utils.translation import gettext_noop as _

from backend.shops.errors import ShopsRefused
from backend.shops.models import Membership, Role, Shop


class NameTaken(ShopsRefused):
    code = "nom_pris"
    template = _("Ce nom d'utilisateur est déjà pris")


class PersonUnknown(ShopsRefused):
    code = "personne_inconnue"
    template = _("Personne n'a de compte sous ce nom")


class AlreadyMember(ShopsRefused):
    code = "deja_membre"
    template = _("Cette personne fait déjà partie de l'équipe")


class LastOwner(ShopsRefused):
    code = "dernier_proprietaire"
    template = _("Une boutique garde au moins un propriétaire")


class BelongsElsewhere(ShopsRefused):
    code = "membre_d_une_autre_boutique"
    template = _("Cette personne travaille aussi pour une autre boutique : elle seule peut changer son mot de passe")


def create_member(*, shop: Shop, username: str, full_name: str = "", role: Role) -> Membership:
    """Create an account without a password and make it a member. Raises NameTaken."""
    first_name, _, last_name = full_name.strip().partition(" ")
    users = get_user_model().objects
    try:
        with transaction.atomic():
            user = users.create_user(username, first_name=first_name[:150], last_name=last_name.strip()[:150])
            return Membership.objects.create(shop=shop, user=user, role=role)
    except IntegrityError as error:
        raise NameTaken from error


def add_member(*, shop: Shop, username: str, role: Role) -> Membership:
    """Make a person who already has an account a member. Raises PersonUnknown or AlreadyMember."""
    user = get_user_model().objects.filter(username=username, is_active=True).first()
    if user is None:
        raise PersonUnknown
    membership, is_new = Membership.objects.get_or_create(shop=shop, user=user, defaults={"role": role})
    if not is_new:
        raise AlreadyMember
    return membership


def change_role(membership: Membership, *, role: Role) -> None:
    """Change a member's role. Raises LastOwner if the shop would have no owner left."""
    with transaction.atomic():
        _keep_an_owner(membership, role)
        Membership.objects.filter(pk=membership.pk).update(role=role)


def remove_member(membership: Membership) -> None:
    """End a membership. The account stays, and so does the person's name on past work. Raises LastOwner."""
    with transaction.atomic():
        _keep_an_owner(membership, None)
        Membership.objects.filter(pk=membership.pk).delete()


def password_link_parts(membership: Membership, *, owner: User) -> tuple[str, str]:
    """Return (uid, token) for the page that sets the member's password, valid once. Raises BelongsElsewhere."""
    own = Membership.objects.filter(user=owner, role=Role.OWNER).values("shop")
    elsewhere = Membership.objects.filter(user=membership.user).exclude(shop__in=own)
    user = membership.user
    if elsewhere.exists() or user.is_staff or user.is_superuser:
        raise BelongsElsewhere
    return urlsafe_base64_encode(force_bytes(user.pk)), default_token_generator.make_token(user)


def _keep_an_owner(membership: Membership, role: Role | None) -> None:
    """Raise LastOwner if no owner is left. Locks the owners, so that two cannot remove each other at once."""
    owners = Membership.objects.select_for_update().filter(shop_id=membership.shop_id, role=Role.OWNER)
    if role is not Role.OWNER and [owner.pk for owner in owners.order_by("pk")] == [membership.pk]:
        raise LastOwner
