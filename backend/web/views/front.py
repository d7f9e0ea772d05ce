"""The front page, sign-in and sign-out: what a person sees before any shop."""

from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def front(request: HttpRequest) -> HttpResponse:
    return render(request, "web/front.html")


class SignIn(LoginView):
    template_name = "web/sign_in.html"
    redirect_authenticated_user = True


class SignOut(LogoutView):
    """By POST only: a link, or an image on somebody's page, must not sign a person out."""
