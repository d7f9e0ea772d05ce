"""The terminals' calls."""
urlpatterns: list = []
