"""Import of articles from a spreadsheet: upload, preview, confirmation; and the export of the same sheet."""

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from backend.inventory.errors import CatalogueRefused
from backend.inventory.importing.columns import COLUMNS, write_articles_csv, write_articles_xlsx
from backend.inventory.importing.drafts import find_draft, give_up_draft, import_draft, keep_draft, read_draft
from backend.inventory.importing.import_articles import ImportRefused, plan_import
from backend.inventory.models import ImportDraft
from backend.shops.models import Role
from backend.web.access import ShopRequest, shop_page
from backend.web.forms.stock import ImportForm
from backend.web.selectors.imports import plan_view
from backend.web.wording.stock import refusal_words

WRITERS = {
    "csv": (write_articles_csv, "text/csv; charset=utf-8"),
    "xlsx": (write_articles_xlsx, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}


@shop_page(at_least=Role.MANAGER)
def import_articles(request: ShopRequest) -> HttpResponse:
    """Store an uploaded sheet and lead to its preview; nothing changes yet."""
    form = ImportForm(request.POST, request.FILES) if request.method == "POST" else ImportForm()
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["fichier"]
        try:
            draft = keep_draft(shop=request.access.shop, user=request.user, name=file.name, content=file.read())
        except CatalogueRefused as refusal:
            form.add_error("fichier", refusal_words(refusal))
        else:
            return HttpResponseRedirect(request.access.link(reverse("web:import_preview", kwargs={"key": draft.key})))
    return render(request, "web/import_articles.html", {"form": form, "columns": COLUMNS})


@shop_page(at_least=Role.MANAGER)
def import_preview(request: ShopRequest, *, key: str) -> HttpResponse:
    """Show what a stored sheet would change now; by POST, import it or give it up."""
    draft = find_draft(shop=request.access.shop, user=request.user, key=key)
    if draft is None:
        # It was imported by the first of two clicks, or replaced by a newer file, or is another person's.
        messages.warning(request, _("Ce fichier n'attend plus : il a été importé, abandonné ou remplacé."))
        return HttpResponseRedirect(request.access.link(reverse("web:import_articles")))
    if request.method == "POST":
        return _decide(request, draft)
    sheet = read_draft(draft)
    plan = plan_import(shop=request.access.shop, sheet=sheet)
    context = {"draft": draft, "plan": plan_view(plan), "ignored_columns": sheet.ignored_columns}
    return render(request, "web/import_preview.html", context)


def _decide(request: ShopRequest, draft: ImportDraft) -> HttpResponse:
    if request.POST.get("abandonner"):
        give_up_draft(draft)
        messages.success(request, _("Fichier abandonné : rien n'a changé."))
        return HttpResponseRedirect(request.access.link(reverse("web:import_articles")))
    try:
        plan = import_draft(draft, author=request.user.get_full_name() or request.user.get_username())
    except ImportRefused as refusal:
        # The shop has changed since the preview: it is shown again, with the new errors.
        messages.error(request, refusal_words(refusal))
        return HttpResponseRedirect(request.access.link(reverse("web:import_preview", kwargs={"key": draft.key})))
    if plan is None:
        messages.warning(request, _("C'était déjà fait : rien n'a été importé une seconde fois."))
    else:
        words = _("Import fait. Créés : %(created)s ; changés : %(changed)s ; stocks de départ : %(openings)s.")
        counts = {"created": len(plan.creations), "changed": len(plan.changes), "openings": len(plan.openings)}
        messages.success(request, words % counts)
    return HttpResponseRedirect(request.access.link(reverse("web:stock")))


@shop_page
def export_articles(request: ShopRequest, *, file_format: str) -> HttpResponse:
    """Return the shop's articles as a sheet that can be imported again."""
    if file_format not in WRITERS:
        raise Http404
    write, content_type = WRITERS[file_format]
    shop = request.access.shop
    name = f"articles-{shop.code}-{timezone.localdate():%Y-%m-%d}.{file_format}"
    disposition = content_disposition_header(as_attachment=True, filename=name)
    return HttpResponse(write(shop), content_type=content_type, headers={"Content-Disposition": disposition})
