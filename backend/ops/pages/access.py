"""Restricts the operations page to staff: any other signed-in user gets a 404."""

from collections.abc import Callable
from functools import wraps

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

View = Callable[..., HttpResponse]


def staff_page(view: View) -> View:
    @never_cache
    @login_required
    @wraps(view)
    def for_staff(request: HttpRequest, **arguments: object) -> HttpResponse:
        if not request.user.is_staff:
            raise Http404
        return view(request, **arguments)

    return for_staff


def staff_action(view: View) -> View:
    """A view that changes something: staff only, POST only."""
    return staff_page(require_POST(view))
