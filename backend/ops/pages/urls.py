"""The addresses of the operations page."""

from django.urls import path

from backend.ops.pages import actions, views

app_name = "operations"

urlpatterns = [
    path("exploitation/", views.overview, name="overview"),
    path("exploitation/sonner/", actions.ring_all, name="ring_all"),
    path("exploitation/pause/", actions.pause, name="pause"),
    path("exploitation/reprise/", actions.resume, name="resume"),
    path("exploitation/caisses/", views.tills, name="tills"),
    path("exploitation/caisses/<int:terminal_id>/", views.till, name="till"),
    path("exploitation/caisses/<int:terminal_id>/sonner/", actions.ring_till, name="ring_till"),
    path("exploitation/caisses/<int:terminal_id>/enregistrer/", actions.post_till, name="post_till"),
    path("exploitation/caisses/<int:terminal_id>/pause/", actions.pause_till, name="pause_till"),
    path("exploitation/echecs/", views.failed, name="failed"),
    path("exploitation/echecs/reprise/", actions.retry, name="retry"),
    path("exploitation/appels/", views.refused_calls, name="calls"),
    path("exploitation/docteur/", views.doctor, name="doctor"),
]
