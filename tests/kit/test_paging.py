"""Pages read from whichever end is nearer are the same pages."""

import pytest
from django.core.paginator import Paginator
from django.db import connection
from django.test.utils import CaptureQueriesContext

from inventory.models import Item
from kit.admin.paging import BothEndsPaginator
from tests import factories


@pytest.mark.django_db
@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 20])
def test_every_page_holds_what_djangos_would(count):
    pos = factories.pos_connection()
    for n in range(count):
        factories.item(pos, f"SKU-{n:02}", name=f"{n % 3}")
    for order in (("sku",), ("name", "-pk"), ("-category", "-name", "pk")):
        rows = Item.objects.order_by(*order)
        ours, theirs = BothEndsPaginator(rows, 3), Paginator(rows, 3)
        for number in theirs.page_range:
            assert list(ours.page(number).object_list) == list(theirs.page(number).object_list)


@pytest.mark.django_db
def test_the_last_page_leaves_nothing_out_on_the_way():
    pos = factories.pos_connection()
    for n in range(10):
        factories.item(pos, f"SKU-{n}")
    last = BothEndsPaginator(Item.objects.order_by("sku"), 3)
    with CaptureQueriesContext(connection) as asked:
        assert [item.sku for item in last.page(4).object_list] == ["SKU-9"]
    assert "OFFSET" not in asked[-1]["sql"]
