"""The administration: for staff only, through our own sign-in page, with history read-only, quick over long tables."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse

from backend.ops.admin import lists
from backend.ops.admin.lists import ReadOnlyAdmin
from backend.ops.admin.site import site
from backend.ops.models import DoctorRun, SweepTurn
from backend.sales.models import Batch, BatchBody, Heartbeat, Pause, Sale, SaleOutcome, TillClosing
from backend.sales.repair.retry import set_outcome_aside
from backend.shops.devices import issue_token
from backend.shops.enrolment import create_enrolment_code
from backend.shops.exchange_rates import set_rate
from backend.shops.models import Device, DeviceState, EnrolmentCode, Membership, Role, Shop, Terminal, TerminalState
from backend.testing import PASSWORD, Cast, make_user
from tests.shop_day import fill, post, sale
from tests.tills import Till

pytestmark = pytest.mark.embedded

# Models that a form may change; every other model is history, or made elsewhere.
CHANGEABLE = {Shop, Membership, User, Group, Terminal, Device}
DELETABLE = {Membership, Group}
ADDABLE = {Shop, Membership, User, Group}
# Models that are not registered: batches' bytes, and credentials.
HIDDEN = {"batchbody", "saleoutcome", "signinfailure", "enrolmentguess", "session", "importdraft"}


@pytest.fixture
def cast(standing_cast: Cast) -> Cast:
    return standing_cast


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def make_staff(name: str, *rights: str, **powers: bool) -> User:
    user = make_user(name)
    User.objects.filter(pk=user.pk).update(is_staff=True, **powers)
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    return User.objects.get(pk=user.pk)


@pytest.fixture
def root(cast: Cast) -> Client:
    return signed_in(make_staff("root", is_superuser=True))


@pytest.fixture
def busy(cast: Cast) -> Cast:
    """One row of everything that the administration lists."""
    fill(cast)
    now = datetime.now(UTC)
    refused = post(cast.device, sale(cast.rice, quantity=10**6))
    set_outcome_aside(batch_id=refused.pk, position=1, author="bob", reason="77")
    Till(cast.device).call("POST", "/api/v2/simple/ventes/rapprochement", b'{"jour": "2024-11-04", "numeros": []}')
    Heartbeat.objects.create(shop=cast.shop, terminal=cast.terminal, device=cast.device, held_count=0, at=now)
    TillClosing.objects.get_or_create(
        shop=cast.shop,
        terminal=cast.terminal,
        day=now.date(),
        result="egal",
        at=now,
        defaults={"said": {}, "answered": {}},
    )
    Till(cast.device, X_Device_Serial="inconnu").get("/api/v2/simple/articles")
    create_enrolment_code(terminal=Terminal.objects.create(shop=cast.shop, name="T9"), created_by=cast.alice)
    Pause.objects.create(scope="all", reason="nuit")
    DoctorRun.objects.create(at=now, duration_s=1, finding_count=0)
    SweepTurn.objects.create(sweep="machine-a:71", at=now)
    Group.objects.create(name="lecteurs")
    set_rate(shop=cast.shop, foreign="USD", rate=Decimal(2850), user=cast.alice)
    return cast


def routes() -> list[URLPattern]:
    (admin,) = (one for one in get_resolver().url_patterns if isinstance(one, URLResolver) and one.namespace == "admin")
    return list(flat(admin))


def flat(resolver: URLResolver) -> list[URLPattern]:
    found = []
    for pattern in resolver.url_patterns:
        found += flat(pattern) if isinstance(pattern, URLResolver) else [pattern]
    return found


def addresses() -> list[str]:
    """Return an address of every route. The ids need not exist: only staff get as far as the look-up."""
    found = {"/admin/", "/admin/nowhere/"}
    for route in routes():
        names = re.findall(r"<(?:\w+:)?(\w+)>", str(route.pattern))
        if route.name:
            parts = dict.fromkeys(names, "1") | ({"app_label": "shops"} if route.name == "app_list" else {})
            try:
                found.add(reverse(f"admin:{route.name}", kwargs=parts) if parts else reverse(f"admin:{route.name}"))
            except NoReverseMatch:
                found.add(reverse(f"admin:{route.name}", args=["1"] * max(1, len(names))))
    return sorted(found)


def state_of(model: type[Model]) -> list[Any]:
    return list(model.objects.order_by("pk").values())


def test_nobody_but_staff_gets_in_anywhere(cast: Cast) -> None:
    owner, nobody = signed_in(cast.alice), Client()
    assert len(addresses()) > 80
    for address in addresses():
        for call in (owner.get, owner.post):
            assert call(address).status_code in (403, 404), address
        for call in (nobody.get, nobody.post):
            answer = call(address)
            assert answer.status_code == 302, address
            assert answer["Location"].startswith(("/admin/login/", "/connexion/")) or address == "/admin/logout/"
    assert nobody.get("/admin/login/?next=/admin/")["Location"] == "/connexion/?next=/admin/"


def test_the_sign_in_is_our_own_and_it_stops_who_guesses(cast: Cast) -> None:
    make_staff("root", is_superuser=True)
    client = Client()
    page = client.get("/admin/", follow=True)
    assert page.redirect_chain[-1][0].startswith("/connexion/?next=/admin/")
    assert client.post("/admin/login/", {"username": "root", "password": PASSWORD}).status_code == 302
    assert "_auth_user_id" not in client.session
    for _ in range(10):
        client.post("/connexion/", {"username": "root", "password": "faux"})
    assert client.post("/connexion/", {"username": "root", "password": PASSWORD}).status_code == 200
    assert client.get("/admin/").status_code == 302


def test_every_list_and_every_detail_opens_and_none_shows_a_secret(busy: Cast, root: Client) -> None:
    issue_token(busy.device)
    hashes = {one for device in Device.objects.all() for one in (device.token_hash, device.next_token_hash) if one}
    hashes |= {user.password for user in User.objects.all()}
    secrets = {*hashes, "Maman Chantal"} - {""}
    names = sorted(site._registry, key=lambda model: model.__name__)
    empty = set()
    for model in names:
        opts = model._meta
        listed = root.get(reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist"))
        assert listed.status_code == 200, opts.label
        first = model.objects.first()
        if first is None:
            empty.add(opts.model_name)
            continue
        detail = root.get(reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[first.pk]))
        assert detail.status_code == 200, opts.label
        for page in (listed, detail):
            shown = page.content.decode()
            told = secrets - ({"Maman Chantal"} if model is Sale else set())
            assert not [secret for secret in told if secret in shown], opts.label
    # The log begins with the first change.
    assert empty <= {"logentry", "daytotal"}
    assert {opts.model_name for opts in (model._meta for model in names)} & HIDDEN == set()


def test_history_is_read_and_never_touched(busy: Cast, root: Client) -> None:
    forms = {"_save": "1", "action": "delete_selected", "post": "yes", "sale_count": "7", "reason": "x"}
    for model, model_admin in site._registry.items():
        opts, before = model._meta, state_of(model)
        base = f"admin:{opts.app_label}_{opts.model_name}"
        pk = before[0]["pk" if "pk" in before[0] else opts.pk.attname] if before else 1
        assert isinstance(model_admin, ReadOnlyAdmin) == (model not in CHANGEABLE), opts.label
        assert model_admin.actions is None
        if model not in CHANGEABLE:
            assert root.post(reverse(f"{base}_change", args=[pk]), forms).status_code in (302, 403), opts.label
        if model not in ADDABLE:
            assert root.post(reverse(f"{base}_add"), forms).status_code == 403, opts.label
        if model not in DELETABLE:
            assert root.post(reverse(f"{base}_delete", args=[pk]), forms).status_code in (302, 403), opts.label
        selected = {**forms, "_selected_action": [str(row.get("id", pk)) for row in before]}
        root.post(reverse(f"{base}_changelist"), selected)
        if model._meta.model_name != "logentry":
            assert state_of(model) == before, opts.label


def test_the_bytes_of_a_batch_are_not_read_at_all(busy: Cast, root: Client) -> None:
    batch = Batch.objects.filter(settled_at__isnull=False).first()
    with CaptureQueriesContext(connection) as asked:
        page = root.get(reverse("admin:sales_batch_change", args=[batch.pk])).content.decode()
    assert BatchBody._meta.db_table not in " ".join(query["sql"] for query in asked)
    # Its outcomes, with the way to what they made.
    assert SaleOutcome.objects.filter(batch=batch).first().number in page
    assert reverse("admin:sales_sale_change", args=[recorded_of(batch)]) in page


def test_a_document_shows_its_money_with_the_drawer_in_which_it_moved(busy: Cast, root: Client) -> None:
    one = Sale.objects.get(number="FAC-20241104-002")
    drawer = f"<td>{busy.terminal.pk}</td><td></td><td>{one.till_day}</td><td>{one.business_day}</td>"
    page = root.get(reverse("admin:sales_sale_change", args=[one.pk])).content.decode()
    assert (
        "<tr><td>2</td><td>ENCAISSEMENT</td><td>MOBILE_MONEY</td><td>10.00 USD</td><td>× 2850.00000000</td>"
        f"<td>28500.00 CDF</td>{drawer}</tr>"
    ) in page


def recorded_of(batch: Batch) -> int:
    return Sale.objects.filter(batch=batch).first().pk


@pytest.mark.parametrize(("model", "column"), [(Device, "token_hash"), (EnrolmentCode, "code_hash")])
def test_what_proves_who_somebody_is_is_not_read_at_all(
    busy: Cast, root: Client, model: type[Model], column: str
) -> None:
    base = f"admin:shops_{model._meta.model_name}"
    with CaptureQueriesContext(connection) as asked:
        root.get(reverse(f"{base}_changelist"))
        root.get(reverse(f"{base}_change", args=[model.objects.only("pk").first().pk]))
    assert [query["sql"] for query in asked if column in query["sql"]] == []


def test_a_list_is_neither_counted_to_its_end_nor_put_into_an_order_that_no_index_has(
    busy: Cast, root: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "COUNTED_MAX", 2)
    for model in site._registry:
        opts = model._meta
        address = reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")
        with CaptureQueriesContext(connection) as asked:
            assert root.get(f"{address}?o=3.-1").status_code == 200
        for query in (
            query["sql"] for query in asked if f"FROM {connection.ops.quote_name(opts.db_table)}" in query["sql"]
        ):
            if "COUNT(*)" in query:
                assert "LIMIT 2" in query, query
            elif "ORDER BY" in query:
                order = query.rpartition("ORDER BY")[2]
                assert order.strip().startswith(connection.ops.quote_name(opts.db_table)), query
                assert f".{connection.ops.quote_name(opts.pk.column)} DESC" in order, query
    narrowed = root.get(reverse("admin:sales_sale_changelist") + "?customer_name=x")
    assert narrowed.status_code == 400 or narrowed["Location"].endswith("?e=1")


def test_a_search_asks_for_the_beginning_of_an_index(busy: Cast, root: Client) -> None:
    for model, model_admin in site._registry.items():
        for column in model_admin.finds:
            at = model
            for name in column.split("__"):
                field = at._meta.pk if name == "pk" else at._meta.get_field(name)
                assert is_reverse(field) or has_index(at, field), (model, column)
                at = field.related_model
    sold = Sale.objects.get(number="FAC-20241104-001")
    for term, expected in ((str(sold.batch.receipt), True), (sold.number, True), (str(sold.pk), True), ("FAC", False),
                           ("9" * 40, False), ("'", False)):  # fmt: skip
        page = root.get(reverse("admin:sales_sale_changelist"), {"q": term}).content.decode()
        assert ("FAC-20241104-001" in page) == expected, term
    found = root.get(reverse("admin:shops_device_changelist"), {"q": busy.device.serial}).content.decode()
    assert "Terminal MAUI" in found


def is_reverse(field: Any) -> bool:
    return field.auto_created and not field.concrete


def has_index(model: type[Model], field: Any) -> bool:
    """Return whether an index of the table begins with the column."""
    first = {index.fields[0] for index in model._meta.indexes}
    first |= {constraint.fields[0] for constraint in model._meta.constraints}
    return field.primary_key or field.unique or field.db_index or field.name in first


def shop_form(shop: Shop, **changes: str) -> dict[str, str]:
    names = ("name", "currency", "currencies", "timezone", "stock_policy", "legal_name", "address", "phone", "nif",
             "rccm", "id_nat", "vat_regime")  # fmt: skip
    return {**{name: getattr(shop, name) for name in names}, **changes, "_save": "1"}


def test_a_shop_is_described_and_made_here(cast: Cast, root: Client) -> None:
    address = reverse("admin:shops_shop_change", args=[cast.shop.pk])
    sent = shop_form(cast.shop, nif="A1234567", currencies="usd, CDF", code="BTQ-1", timezone="Africa/Lubumbashi")
    assert root.post(address, sent).status_code == 302
    cast.shop.refresh_from_db()
    assert (cast.shop.nif, cast.shop.currencies, cast.shop.code) == ("A1234567", "USD,CDF", "BTQ-009")
    assert cast.shop.timezone == "Africa/Lubumbashi"
    for wrong in ({"timezone": "Kinshasa"}, {"currency": "francs"}, {"currencies": "CDF,"}, {"stock_policy": "x"}):
        assert root.post(address, shop_form(cast.shop, **wrong)).status_code == 200, wrong
    new = {**shop_form(cast.shop), "code": "BTQ-800", "name": "Neuve"}
    assert root.post(reverse("admin:shops_shop_add"), new).status_code == 302
    assert Shop.objects.get(code="BTQ-800").name == "Neuve"


def test_tills_and_devices_change_state_by_their_services(cast: Cast, root: Client) -> None:
    till = reverse("admin:shops_terminal_change", args=[cast.terminal.pk])
    sent = {"state": "disabled", "name": "Autre", "shop": cast.other_shop.pk}
    assert root.post(till, sent).status_code == 302
    cast.terminal.refresh_from_db()
    assert (cast.terminal.state, cast.terminal.name) == (TerminalState.DISABLED, "Terminal MAUI")
    assert cast.terminal.shop == cast.shop
    device = reverse("admin:shops_device_change", args=[cast.device.pk])
    assert root.post(device, {"state": DeviceState.REPLACED}).status_code == 200
    assert root.post(device, {"state": DeviceState.DISABLED, "token_hash": "x", "serial": "y"}).status_code == 302
    changed = Device.objects.get(pk=cast.device.pk)
    assert (changed.state, changed.token_hash, changed.serial) == (DeviceState.DISABLED, "", cast.device.serial)
    office = Terminal.objects.create(shop=cast.shop, name="Bureau", is_office=True)
    answer = root.post(reverse("admin:shops_terminal_change", args=[office.pk]), {"state": "disabled"}, follow=True)
    assert "Le bureau" in answer.content.decode() or "bureau" in answer.content.decode()
    office.refresh_from_db()
    assert office.state == TerminalState.ACTIVE


def test_a_shop_keeps_an_owner_here_too(cast: Cast, root: Client) -> None:
    last = Membership.objects.get(user=cast.alice)
    change = reverse("admin:shops_membership_change", args=[last.pk])
    delete = reverse("admin:shops_membership_delete", args=[last.pk])
    for address, form in ((change, {"role": "viewer"}), (delete, {"post": "yes"})):
        answer = root.post(address, form, follow=True)
        assert "Une boutique garde au moins un propriétaire" in answer.content.decode()
        assert Membership.objects.get(pk=last.pk).role == Role.OWNER
    added = {"user": make_user("dora").pk, "shop": cast.shop.pk, "role": "owner"}
    assert root.post(reverse("admin:shops_membership_add"), added).status_code == 302
    root.post(delete, {"post": "yes"})
    assert not Membership.objects.filter(pk=last.pk).exists()


def test_staff_see_what_they_were_given_the_right_to_and_give_themselves_no_more(cast: Cast, root: Client) -> None:
    group = Group.objects.create(name="chefs")
    rights = ("view_user", "change_user", "view_group", "change_group", "add_group")
    oscar = make_staff("oscar", *rights)
    client, own = signed_in(oscar), reverse("admin:auth_user_change", args=[oscar.pk])
    assert client.get(reverse("admin:shops_shop_changelist")).status_code == 403
    client.post(own, {"username": "oscar", "is_active": "on", "is_superuser": "on", "groups": [group.pk]})
    client.post(reverse("admin:auth_group_change", args=[group.pk]), {"name": "x", "permissions": ["1"]})
    powerful = User.objects.get(username="root")
    password = reverse("admin:auth_user_password_change", args=[powerful.pk])
    assert client.post(password, {"password1": "un-autre-mot", "password2": "un-autre-mot"}).status_code == 403
    oscar.refresh_from_db()
    group.refresh_from_db()
    assert (oscar.is_superuser, oscar.groups.count(), group.name, group.permissions.count()) == (False, 0, "chefs", 0)
    assert (
        root.post(own, {"username": "oscar", "is_active": "on", "is_staff": "on", "groups": [group.pk]}).status_code
        == 302
    )
    assert oscar.groups.count() == 1
    assert root.post(reverse("admin:auth_user_delete", args=[oscar.pk]), {"post": "yes"}).status_code == 403


def test_the_administration_runs_under_the_pages_policy_and_brings_its_own_files(cast: Cast, root: Client) -> None:
    page = root.get(reverse("admin:shops_shop_changelist"))
    assert "script-src 'self';" in page["Content-Security-Policy"]
    source = page.content.decode()
    assert re.findall(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)", source) == []
    assert re.findall(r"\sstyle=|<style|\son\w+=", source) == []
    files = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', source))
    assert files
    for file in files:
        answer = root.get(file)
        answer.close()
        assert answer.status_code == 200, file
