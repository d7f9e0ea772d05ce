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
# As far as pages are counted; who looks for something older searches for it.
COUNTED_MAX = 5000
# More than any bigint of ours.
ID_MAX = 2**63


class BoundedPaginator(Paginator):
    """Counts no further than COUNTED_MAX: counting a table reads all of it."""

    @cached_property
    def count(self) -> int:
        rows = self.object_list
        assert isinstance(rows, QuerySet)
        return rows[:COUNTED_MAX].count()


class NewestFirst(ChangeList):
    """In one order, whatever the address asks for: no other has an index in every table."""

    def get_ordering(self, request: HttpRequest, queryset: QuerySet) -> list[str | Combinable]:
        return ["-pk"]


class QuickAdmin(admin.ModelAdmin):
    """`finds`: what the search compares with what was typed, each the beginning of an index."""

    finds: tuple[str, ...] = ()
    actions = None
    sortable_by = ()
    show_full_result_count = False
    list_per_page = list_max_show_all = PAGE_ROWS
    paginator = BoundedPaginator
    # Equality on these may stand in an address, for links from one list to another.
    narrows: tuple[str, ...] = ()

    def get_changelist(self, request: HttpRequest, **_options: object) -> type[ChangeList]:
        return NewestFirst

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        return self.finds

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        term = search_term.strip()
        return (queryset.filter(self.found_by(term)) if term else queryset), False

    def found_by(self, term: str) -> Q:
        """Return the condition for what was typed: equal to any of `finds` that it can be."""
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
    """To look at and not to touch: nothing is added, changed or deleted here, whoever asks."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ReadOnlyAdmin(Untouchable, QuickAdmin):
    """The list and the pages of such rows."""


class ReadOnlyInline(Untouchable, admin.TabularInline):
    extra = 0
    can_delete = False


def _typed(model: type[Model], column: str, term: str) -> object:
    """Return what was typed as a value of this column. Raises ValidationError if it cannot be one."""
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
