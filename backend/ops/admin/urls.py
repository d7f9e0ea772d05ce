"""Where the administration's pages are."""

from backend.ops.admin import people, records, shops
from backend.ops.admin.site import site

app_name = "admin"

# The modules above say what the site shows.
MODULES = (people, records, shops)
urlpatterns = site.get_urls()
