"""A conflict settled in two clicks, and several at once: by those who may, on a screen and on a phone, without scripts too."""

import pytest

pytestmark = pytest.mark.browser

CONFLICTS = "/admin/sync/syncconflict/"
MAY, MAY_NOT = ("manager", "lead", "administrator"), ("viewer",)


def opened(shop) -> list[int]:
    """The open conflicts, the largest difference first: the shop shows 15 and 12 too many, and 4 too few."""
    return [row[0] for row in shop.ask("select id from sync_syncconflict where resolved_at is null order by difference desc")]


def settled(shop, pk: int) -> tuple[str, str, str]:
    """How, why, and by whom."""
    return shop.ask(
        """select resolution, reason, auth_user.username from sync_syncconflict
        left join auth_user on auth_user.id = resolved_by_id where sync_syncconflict.id = ?""",
        pk,
    )[0]


def on_hand(shop, pk: int) -> int:
    return shop.ask(
        """select on_hand from inventory_stocklevel l join alignment_alignment a on a.item_id = l.item_id
        join sync_syncconflict c on c.alignment_id = a.id where c.id = ?""",
        pk,
    )[0][0]


def baseline(shop, pk: int) -> int:
    return shop.ask(
        """select baseline from inventory_listing l join alignment_alignment a on a.listing_id = l.id
        join sync_syncconflict c on c.alignment_id = a.id where c.id = ?""",
        pk,
    )[0][0]


def movements(shop, pk: int) -> list[tuple]:
    return shop.ask(
        """select quantity, reason from inventory_movement m join inventory_voucher v on v.id = m.voucher_id
        where v.kind = 'conflict' and v.document = ?""",
        str(pk),
    )


def go(page, what: str) -> None:
    """Click what leads to another page, and be there."""
    with page.expect_navigation():
        page.click(what)


@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize("login", MAY)
def test_two_clicks_on_its_page_settle_a_conflict(shop, open_as, login, narrow):
    pk = opened(shop)[0]
    shelf, shows = on_hand(shop, pk), baseline(shop, pk)
    page = open_as(login, narrow=narrow)
    page.goto(f"{CONFLICTS}{pk}/change/")
    go(page, ".ways >> text=Shop wins")
    assert f"Shelf {shelf} → becomes {shelf + 15}" in " ".join(page.inner_text(".effect").split())
    go(page, "button.go")
    assert "Settled. What follows is told with the next sync." in page.inner_text(".messagelist")
    how, why, who = settled(shop, pk)
    assert (how, who) == ("woo", login)
    assert why.startswith("Shop wins, decided by ")
    assert (on_hand(shop, pk), baseline(shop, pk)) == (shelf + 15, shows + 15)
    assert movements(shop, pk) == [(15, why)]
    assert page.locator(".ways").count() == 0
    assert page.complaints == []


def test_two_clicks_in_the_list_settle_a_conflict(shop, open_as):
    first, second, third = opened(shop)
    page = open_as("manager")
    page.goto(CONFLICTS)
    assert page.locator("#result_list tbody tr").count() == 3
    go(page, "#result_list tr >> nth=1 >> text=Till wins")
    go(page, "button.go")
    assert settled(shop, first) == ("pos", "Till wins, decided by Maya Brandt", "manager")
    assert opened(shop) == [second, third]
    assert movements(shop, first) == []
    assert page.complaints == []


def test_a_count_and_a_reason_of_ones_own_without_scripts_on_a_phone(shop, open_as):
    pk = opened(shop)[0]
    page = open_as("manager", narrow=True, scripts=False)
    page.goto(f"{CONFLICTS}{pk}/change/")
    page.fill("#id_count", "7")
    go(page, "text=Set both to this…")
    assert page.inner_text(".follows").startswith("Counted: 7 lie on the shelf.")
    page.fill("#id_reason", "Ada counted twice")
    go(page, "button.go")
    assert settled(shop, pk) == ("count", "Ada counted twice", "manager")
    assert on_hand(shop, pk) == 7


def test_what_sold_while_the_page_was_read_is_shown_anew(shop, open_as):
    pk = opened(shop)[0]
    page = open_as("manager")
    page.goto(f"{CONFLICTS}{pk}/settle/?winner=pos")
    with shop.change() as rows:
        rows.execute("update inventory_stocklevel set on_hand = on_hand + 100")
    go(page, "button.go")
    assert "Its numbers have changed since you looked." in page.inner_text(".messagelist")
    assert pk in opened(shop)
    go(page, "button.go")
    assert settled(shop, pk)[0] == "pos"


@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize("login", MAY)
def test_several_are_settled_at_once_after_one_preview(shop, open_as, login, narrow):
    first, second, third = opened(shop)
    shelves = [on_hand(shop, pk) for pk in (first, second, third)]
    page = open_as(login, narrow=narrow)
    page.goto(CONFLICTS)
    for box in page.query_selector_all(".action-select"):
        box.check()
    page.select_option("select[name=action]", "keep_higher")
    go(page, "button[name=index]")
    assert page.title() == "Keep the higher · Evenstock"
    assert "3 will be settled: keep the higher." in page.inner_text(".verdict")
    assert len(opened(shop)) == 3
    page.check("text=Rather offer one too many than lose a sale")
    go(page, "text=Settle 3")
    assert "3 settled." in page.inner_text(".messagelist")
    assert opened(shop) == []
    for pk in (first, second, third):
        assert settled(shop, pk) == ("higher", "Rather offer one too many than lose a sale", login)
    assert [on_hand(shop, pk) for pk in (first, second, third)] == [shelves[0] + 15, shelves[1] + 12, shelves[2]]
    assert page.complaints == []


def test_what_is_left_as_it_is_can_be_found_again(shop, open_as):
    pk = opened(shop)[0]
    page = open_as("manager")
    page.goto(f"{CONFLICTS}{pk}/change/")
    go(page, ".ways >> text=Leave it as it is")
    go(page, "button.go")
    assert shop.ask("select resolution, is_left from sync_syncconflict where id = ?", pk) == [("ignored", 1)]
    assert movements(shop, pk) == []
    page.goto(CONFLICTS)
    go(page, "text=2 left as they are")
    assert page.locator("#result_list tbody tr").count() == 2


@pytest.mark.parametrize("login", MAY_NOT)
def test_who_may_only_look_has_no_buttons_and_is_refused(shop, open_as, login):
    pk = opened(shop)[0]
    page = open_as(login)
    page.goto(CONFLICTS)
    assert page.locator("text=Till wins").count() == page.locator(".action-select").count() == 0
    page.goto(f"{CONFLICTS}{pk}/change/")
    assert page.is_visible(".line >> text=This conflict")
    assert page.locator("text=Till wins").count() == page.locator(".ways").count() == 0
    token = page.context.cookies()
    head = {"X-CSRFToken": next(one["value"] for one in token if one["name"] == "csrftoken"), "Referer": page.url}
    for path in (f"{CONFLICTS}{pk}/settle/", f"{CONFLICTS}settle/", CONFLICTS):
        said = {"winner": "pos", "seen": "x", "chosen": f"{pk}:x", "confirm": "1", "reason": "x", "action": "till_wins"}
        assert page.request.post(path, form=said, headers=head).status == 403
    assert pk in opened(shop)
