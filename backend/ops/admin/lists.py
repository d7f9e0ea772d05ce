"""Lists that stay quick over millions of rows: newest first by the primary key, never counted to the end."""

from functools import cached_property

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Field, ForeignKey, Model, Q, QuerySet
from django.db.models.expressions import Combinable
from django.http import HttpRequest

PAGE_ROWS = 50
# Rows beyond this number have no page: the search finds them.
COUNTED_MAX = 5000
# Above every id that a bigint column can hold.
ID_MAX = 2**63


class BoundedPaginator(Paginator):
    """Counts up to COUNTED_MAX only: counting a whole table would read all of it."""

    @cached_property
    def count(self) -> int:
        rows = self.object_list
        assert isinstance(rows, QuerySet)
        return rows[:COUNTED_MAX].count()


class NewestFirst(ChangeList):
    """Orders by primary key whatever the address asks for: no other column has an index in every table."""

    def get_ordering(self, request: HttpRequest, queryset: QuerySet) -> list[str | Combinable]:
        return ["-pk"]


class QuickAdmin(admin.ModelAdmin):
    """`finds`: the columns that the search compares with what was typed, each the first column of an index."""

    finds: tuple[str, ...] = ()
    actions = None
    sortable_by = ()
    show_full_result_count = False
    list_per_page = list_max_show_all = PAGE_ROWS
    paginator = BoundedPaginator
    # The lookups that an address may carry, for links from one list to another.
    narrows: tuple[str, ...] = ()

    def get_changelist(self, request: HttpRequest, **_options: object) -> type[ChangeList]:
        return NewestFirst

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        return self.finds

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        term = search_term.strip()
        return (queryset.filter(self.found_by(term)) if term else queryset), False

    def found_by(self, term: str) -> Q:
        """Return the condition for `term`: any column of `finds` that can hold it equals it."""
        condition = Q(pk__in=[])
        for column in self.finds:
            try:
                condition |= Q(**{column: _typed(self.model, column, term)})
            except ValidationError:
                continue
        return condition

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        return lookup in self.narrows


class Untouchable:
    """Read-only for everybody: nothing is added, changed or deleted here."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ReadOnlyAdmin(Untouchable, QuickAdmin):
    """A read-only list, with a read-only page for each row."""


class ReadOnlyInline(Untouchable, admin.TabularInline):
    extra = 0
    can_delete = False


def _typed(model: type[Model], column: str, term: str) -> object:
    """Return `term` as a value of this column. Raises ValidationError if the column cannot hold it."""
    *path, name = column.split("__")
    for step in path:
        related = model._meta.get_field(step).related_model
        assert related is not None
        model = related
    field = model._meta.pk if name == "pk" else model._meta.get_field(name)
    assert isinstance(field, Field)
    value = (field.target_field if isinstance(field, ForeignKey) else field).to_python(term)
    if isinstance(value, int) and abs(value) >= ID_MAX:
        raise ValidationError(term)
    return value
