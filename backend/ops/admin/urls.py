"""The addresses of the administration's pages."""

from backend.ops.admin import people, records, shops
from backend.ops.admin.site import site

app_name = "admin"

# Importing these modules registers what the site shows.
MODULES = (people, records, shops)
urlpatterns = site.get_urls()
