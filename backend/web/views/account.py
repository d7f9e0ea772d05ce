"""A person's own account: signing in, the password, the language."""

from django.contrib import messages
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import PasswordChangeForm, SetPasswordForm
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse, reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from backend.web.access import memberships_of
from backend.web.forms.account import SignInForm


class SignIn(auth_views.LoginView):
    template_name = "web/sign_in.html"
    redirect_authenticated_user = True
    authentication_form = SignInForm

    def get_default_redirect_url(self) -> str:
        """Send staff without a shop to the operations page."""
        user = self.request.user
        if user.is_staff and not memberships_of(user):
            return reverse("operations:overview")
        return super().get_default_redirect_url()


class SignOut(auth_views.LogoutView):
    """By POST only: a link or an image on another site must not sign a person out."""


@never_cache
@login_required
def account(request: HttpRequest) -> HttpResponse:
    return render(request, "web/account.html")


class PasswordChange(auth_views.PasswordChangeView):
    """Changes the password; Django then ends the person's other sessions."""

    template_name = "web/password_change.html"
    success_url = reverse_lazy("web:account")

    def form_valid(self, form: PasswordChangeForm) -> HttpResponse:
        messages.success(self.request, _("Votre mot de passe est changé. Vos autres appareils devront se reconnecter."))
        return super().form_valid(form)


class PasswordReset(auth_views.PasswordResetView):
    """Answers the same whether an account has that address or not."""

    template_name = "web/password_reset.html"
    email_template_name = "web/password_reset_mail.txt"
    subject_template_name = "web/password_reset_subject.txt"
    success_url = reverse_lazy("web:password_reset_sent")


class PasswordResetSent(auth_views.PasswordResetDoneView):
    template_name = "web/password_reset_sent.html"


@method_decorator(never_cache, name="dispatch")
class PasswordSet(auth_views.PasswordResetConfirmView):
    """The page of the link to set a password, from a mail or from the shop's owner; valid once."""

    template_name = "web/password_set.html"
    success_url = reverse_lazy("web:sign_in")

    def form_valid(self, form: "SetPasswordForm[User]") -> HttpResponse:
        messages.success(self.request, _("Le mot de passe est enregistré. Vous pouvez vous connecter."))
        return super().form_valid(form)
