"""Lists of the admin that cost the same however many rows the table has."""

from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest

#: How far one may page: what is skipped is read too. Filters and the search lead further.
MOST_PAGES = 100


class LongList(ChangeList):
    """A list that nobody counts: it reads its page and one row more, to know whether that is all.

    Sorting by a column that isn't offered for it does nothing.
    """

    is_counted: bool  # so `result_count` is exact; otherwise there are more

    def get_ordering_field(self, field_name: Any) -> Any:
        if self.sortable_by is not None and field_name not in self.sortable_by:
            return None
        return super().get_ordering_field(field_name)

    def bounded(self, rows: QuerySet[Any], most: int) -> QuerySet[Any]:
        """Return rows of which the first so many are the same; an index may help to find these."""
        return rows

    def get_results(self, request: HttpRequest) -> None:
        if not 1 <= self.page_num <= MOST_PAGES:
            raise IncorrectLookupParameters
        size = self.list_max_show_all if self.show_all else self.list_per_page
        first = 0 if self.show_all else (self.page_num - 1) * size
        ordered = self.bounded(self.queryset, first + size + 1)
        # Keys first: joins for the columns of rows that are sorted, but not shown, cost the most.
        found = list(ordered.values_list("pk", flat=True)[first : first + size + 1])
        if first and not found:
            raise IncorrectLookupParameters
        if self.show_all and len(found) > size:  # too many to show them all
            self.show_all, size = False, self.list_per_page
        self.result_list = ordered.filter(pk__in=found[:size])
        self.result_count = first + len(found)
        self.is_counted = len(found) <= size
        self.multi_page = bool(first) or not self.is_counted
        self.can_show_all = self.show_all or (
            self.is_counted and self.result_count <= self.list_max_show_all
        )
        # Known pages: those before, this one, and the next if there is one.
        known = min(self.result_count, MOST_PAGES * self.list_per_page)
        self.paginator = Paginator(range(known), self.list_per_page)
        self.show_full_result_count, self.full_result_count = False, None
        self.show_admin_actions = True


class NotCounted:
    """An admin with such a list."""

    show_full_result_count = False

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return LongList
