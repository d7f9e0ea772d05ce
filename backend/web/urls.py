"""The pages for people."""

from django.urls import path
from django.views.generic import RedirectView
from django.views.i18n import set_language

from backend.web.views import (
    account,
    articles,
    batches,
    closings,
    dashboard,
    desk,
    documentation,
    front,
    imports,
    register,
    sales,
    stock,
    team,
    tills,
)

app_name = "web"

urlpatterns = [
    path("", front.front, name="front"),
    path("langue/", set_language, name="set_language"),
    path("connexion/", account.SignIn.as_view(), name="sign_in"),
    path("deconnexion/", account.SignOut.as_view(), name="sign_out"),
    path("compte/", account.account, name="account"),
    path("compte/mot-de-passe/", account.PasswordChange.as_view(), name="password_change"),
    path("mot-de-passe/oublie/", account.PasswordReset.as_view(), name="password_reset"),
    path("mot-de-passe/envoye/", account.PasswordResetSent.as_view(), name="password_reset_sent"),
    path("mot-de-passe/<str:uidb64>/<str:token>/", account.PasswordSet.as_view(), name="password_set"),
    path("commercant/equipe/", team.team, name="team"),
    path("commercant/equipe/ajouter/", team.add_member, name="add_member"),
    path("commercant/equipe/<int:member_id>/", team.change_member, name="change_member"),
    path("commercant/equipe/<int:member_id>/lien/", team.password_link, name="password_link"),
    path("commercant/", RedirectView.as_view(pattern_name="web:dashboard"), name="shop"),
    path("commercant/dashboard/", dashboard.dashboard, name="dashboard"),
    path("commercant/ventes/", sales.sales, name="sales"),
    path("commercant/ventes/<int:sale_id>/", sales.sale, name="sale"),
    path("commercant/stock/", stock.stock, name="stock"),
    path("commercant/stock/nouveau/", articles.new_article, name="new_article"),
    path("commercant/stock/import/", imports.import_articles, name="import_articles"),
    path("commercant/stock/import/<slug:key>/", imports.import_preview, name="import_preview"),
    path("commercant/stock/articles.<slug:file_format>", imports.export_articles, name="export_articles"),
    path("commercant/stock/<int:article_id>/", articles.article, name="article"),
    path("commercant/stock/<int:article_id>/modifier/", articles.change_article, name="change_article"),
    path("commercant/stock/<int:article_id>/unites/", articles.add_unit, name="add_unit"),
    path("commercant/stock/<int:article_id>/unites/<int:unit_id>/", stock.unit, name="unit"),
    path("commercant/stock/<int:article_id>/unites/<int:unit_id>/modifier/", articles.change_unit, name="change_unit"),
    path("commercant/stock/<int:article_id>/unites/<int:unit_id>/mouvement/", articles.move_unit, name="move_unit"),
    path("commercant/stock/<int:article_id>/unites/<int:unit_id>/ouvrir/", articles.open_unit, name="open_unit"),
    path("commercant/mouvements/", stock.movements, name="movements"),
    path("commercant/envois/", batches.batches, name="batches"),
    path("commercant/envois/<uuid:receipt>/", batches.batch, name="batch"),
    path("commercant/a-corriger/", desk.to_correct, name="to_correct"),
    path("commercant/a-corriger/ecartees/", desk.set_aside, name="set_aside"),
    path("commercant/a-corriger/<int:batch_id>/<int:position>/", desk.entry, name="entry"),
    path("commercant/a-corriger/<int:batch_id>/<int:position>/decision/", desk.decide, name="decide"),
    path("commercant/cloture/", closings.closings, name="closings"),
    path("commercant/cloture/nouvelle/", closings.close_day, name="close_day"),
    path("commercant/cloture/<int:closing_id>/", closings.closing, name="closing"),
    path("commercant/cloture/mois/<int:year>-<int:month>/", closings.close_month, name="close_month"),
    path("commercant/caisses/", tills.tills, name="tills"),
    path("commercant/caisses/nouvelle/", tills.add_till, name="add_till"),
    path("commercant/caisses/<int:terminal_id>/", tills.till, name="till"),
    path("commercant/caisses/<int:terminal_id>/code/", tills.enrolment_code, name="enrolment_code"),
    path("commercant/caisses/<int:terminal_id>/etat/", tills.till_state, name="till_state"),
    path(
        "commercant/caisses/<int:terminal_id>/appareils/<int:device_id>/etat/", tills.device_state, name="device_state"
    ),
    path(
        "commercant/caisses/<int:terminal_id>/appareils/<int:device_id>/jeton/", tills.device_token, name="device_token"
    ),
    path("commercant/registre/", register.register, name="register"),
    path("docs/", documentation.documentation_index, name="documentation"),
    path("docs/<path:name>", documentation.documentation_page, name="documentation_page"),
]
