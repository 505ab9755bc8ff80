"""Reviewing proposals: side by side, one after the other or many at once, and taken back."""

from decimal import Decimal

import pytest

from alignment.errors import AlignmentChangedError
from alignment.models import Alignment, MatchingPolicy
from alignment.review.differences import line, price_line
from alignment.review.reviews import alignment_choose, decision_undo, proposals_accept
from tests import factories

REVIEW = "/admin/alignment/alignment/review/"
pytestmark = pytest.mark.django_db


@pytest.fixture
def mugs(pos, store):
    """Three proposals: 0.99, 0.96 and, in doubt, 0.98; the first could also be MUG-9."""
    pairs = []
    other = factories.listing(store, "MUG-9", name="Mug blue, large")
    for sku, confidence, doubted in (("MUG-1", "0.99", False), ("MUG-2", "0.96", False), ("MUG-3", "0.98", True)):
        item = factories.item(pos, sku, name=f"Mug blue {sku}", barcode="", price=Decimal("4.50"))
        listing = factories.listing(store, f"X-{sku}", name=f"Blue mug {sku}", price=Decimal("4.5"))
        pairs.append(
            Alignment.objects.create(
                item=item, listing=listing, match_type="fuzzy", confidence=Decimal(confidence), is_doubted=doubted,
                evidence="name 0.93; <b>same size</b>",
                others=[{"listing": other.pk, "confidence": 0.31, "evidence": "name 0.60"}] if sku == "MUG-1" else [],
            )
        )  # fmt: skip
    return pairs


@pytest.fixture
def manager(client):
    client.force_login(factories.person("manager", "alignment.view_alignment", "alignment.change_alignment"))
    return client


def statuses() -> dict[str, str]:
    pairs = Alignment.objects.select_related("item", "listing").order_by("pk")
    return {f"{pair.item.sku} {pair.listing.sku}": pair.status for pair in pairs}


def said(answer) -> str:
    return " ".join(str(message) for message in answer.context["messages"])


def test_differing_words_are_marked_and_spelling_is_no_difference():
    one = line("Name", "Big Bud™ 1L", "BIG BUD 500ml")
    assert [text for text, differs in one.at_till if differs] == ["1L"]
    assert [text for text, differs in one.in_store if differs] == ["500ml"]
    assert "".join(text for text, _ in one.at_till) == "Big Bud™ 1L"
    assert one.is_same is False
    assert line("Name", "Café-au-lait", "CAFE AU LAIT").is_same is True


def test_a_side_that_says_nothing_is_neither_same_nor_different():
    one = line("Barcode", "4006381333931", "")
    assert one.is_same is None
    assert not any(differs for _, differs in one.at_till)
    assert price_line("Price", None, Decimal(1)).is_same is None
    assert price_line("Price", Decimal("4.50"), Decimal("4.5")).is_same is True
    assert price_line("Price", Decimal("27.6"), Decimal("12.0000")).at_till == [("27.60", True)]
    assert price_line("Price", Decimal("27.6"), Decimal("12.0000")).in_store == [("12", True)]


def test_a_pair_is_accepted_and_taken_back(manager, mugs):
    answer = manager.post(REVIEW, {"pair": mugs[0].pk, "accept": "1"}, follow=True)
    assert statuses() == {"MUG-1 X-MUG-1": "confirmed", "MUG-2 X-MUG-2": "proposed", "MUG-3 X-MUG-3": "proposed"}
    assert said(answer) == "MUG-1 is X-MUG-1."
    newest = mugs[0].history.first()
    assert newest.history_user.username == "manager"
    assert newest.history_change_reason.startswith("accepted in review ")

    answer = manager.post(REVIEW, {"undo": "1"}, follow=True)
    assert said(answer) == "Taken back: 1 pair."
    assert set(statuses().values()) == {"proposed"}
    assert said(manager.post(REVIEW, {"undo": "1"}, follow=True)) == "There is nothing to take back."


def test_a_rejected_pair_comes_back_too(manager, mugs):
    manager.post(REVIEW, {"pair": mugs[1].pk, "reject": "1"})
    assert statuses()["MUG-2 X-MUG-2"] == "rejected"
    manager.post(REVIEW, {"undo": "1"})
    assert statuses()["MUG-2 X-MUG-2"] == "proposed"


def test_the_next_best_listing_is_offered_by_name(manager, mugs):
    other = mugs[0].others[0]["listing"]
    html = manager.get(REVIEW).content.decode()
    assert f'name="choose" value="{other}"' in html
    assert "Mug blue, large" in html


def test_another_listing_is_chosen_instead_and_taken_back(manager, mugs):
    other = mugs[0].others[0]["listing"]
    answer = manager.post(REVIEW, {"pair": mugs[0].pk, "choose": other}, follow=True)
    assert said(answer) == "MUG-1 is MUG-9, not X-MUG-1."
    assert statuses()["MUG-1 X-MUG-1"] == "rejected"
    assert statuses()["MUG-1 MUG-9"] == "confirmed"
    assert Alignment.objects.get(listing=other).match_type == "manual"

    manager.post(REVIEW, {"undo": "1"})
    assert statuses()["MUG-1 X-MUG-1"] == "proposed"
    assert statuses()["MUG-1 MUG-9"] == "rejected"  # nobody had proposed it

    manager.post(REVIEW, {"pair": mugs[0].pk, "choose": other})  # and chosen once more
    assert statuses()["MUG-1 MUG-9"] == "confirmed"
    assert Alignment.objects.filter(listing=other).count() == 1


def test_a_listing_that_is_taken_cant_be_chosen_and_nothing_changes(mugs, pos):
    taken = mugs[0].others[0]["listing"]
    Alignment.objects.create(
        item=factories.item(pos, "CUP-1"), listing_id=taken, match_type="exact", confidence=1, status="confirmed"
    )
    listing = mugs[0].listing.__class__.objects.get(pk=taken)
    with pytest.raises(AlignmentChangedError, match="confirmed as item"):
        alignment_choose(alignment=mugs[0], listing=listing, by=None, reason="x")
    assert statuses()["MUG-1 X-MUG-1"] == "proposed"
    assert mugs[0].history.filter(history_change_reason="x").count() == 0


def test_a_listing_of_another_store_cant_be_chosen(manager, mugs):
    stranger = factories.listing(factories.store_connection("other"), "MUG-1")
    assert manager.post(REVIEW, {"pair": mugs[0].pk, "choose": stranger.pk}).status_code == 404
    assert set(statuses().values()) == {"proposed"}


def test_many_are_accepted_at_the_threshold_but_never_those_in_doubt(mugs, pos, store):
    decided = proposals_accept(pos=pos, store=store, threshold=Decimal("0.96"), by=None, reason="many")
    assert decided.changed == 2
    assert statuses() == {"MUG-1 X-MUG-1": "confirmed", "MUG-2 X-MUG-2": "confirmed", "MUG-3 X-MUG-3": "proposed"}


def test_many_show_the_error_to_expect_and_are_taken_back_at_once(manager, mugs):
    page = manager.get(REVIEW).content.decode()
    assert "Accept 2 " in page
    assert "2.5 %" in page  # the mean of 1 % and 4 %, from 0.8 on
    answer = manager.post(REVIEW, {"accept_from": "0.97"}, follow=True)
    assert said(answer) == "1 pair accepted."
    manager.post(REVIEW, {"accept_from": "0.9"})
    assert list(statuses().values()) == ["confirmed", "confirmed", "proposed"]
    manager.post(REVIEW, {"undo": "1"})
    assert list(statuses().values()) == ["confirmed", "proposed", "proposed"]
    manager.post(REVIEW, {"undo": "1"})
    assert set(statuses().values()) == {"proposed"}


@pytest.mark.parametrize("nonsense", ["", "2", "0.2", "NaN", "abc"])
def test_a_threshold_that_is_none_accepts_nothing(manager, mugs, nonsense):
    answer = manager.post(REVIEW, {"accept_from": nonsense}, follow=True)
    assert "Choose a confidence" in said(answer)
    assert set(statuses().values()) == {"proposed"}


def test_what_somebody_decided_since_is_not_taken_back(manager, mugs):
    manager.post(REVIEW, {"pair": mugs[0].pk, "accept": "1"})
    reason = mugs[0].history.first().history_change_reason
    pair = Alignment.objects.get(pk=mugs[0].pk)
    pair.status = "rejected"
    pair.save()
    undone = decision_undo(reason=reason, by=None)
    assert (undone.changed, undone.kept) == (0, 1)
    assert statuses()["MUG-1 X-MUG-1"] == "rejected"


def test_the_threshold_for_confirming_itself_is_kept_and_switched_off(manager, mugs, store):
    manager.post(REVIEW, {"confirm_from": "0.98"})
    assert MatchingPolicy.objects.get(store=store).confirm_from == Decimal("0.98")
    manager.post(REVIEW, {"confirm_from": ""})
    assert MatchingPolicy.objects.get(store=store).confirm_from is None


def test_markup_in_names_and_evidence_stays_text(manager, mugs):
    page = manager.get(REVIEW).content.decode()
    assert "<b>same size</b>" not in page
    assert "&lt;b&gt;same size&lt;/b&gt;" in page


def test_a_viewer_looks_and_decides_nothing(client, mugs):
    client.force_login(factories.person("viewer", "alignment.view_alignment"))
    page = client.get(REVIEW)
    assert page.status_code == 200
    assert 'name="accept"' not in page.content.decode()
    for asked in ({"pair": mugs[0].pk, "accept": "1"}, {"accept_from": "0.5"}, {"confirm_from": "0.9"}, {"undo": "1"}):
        assert client.post(REVIEW, asked).status_code == 403
    assert set(statuses().values()) == {"proposed"}


def test_without_a_shop_the_page_says_what_to_do(manager):
    assert "Connect a till and a store" in manager.get(REVIEW).content.decode()


def test_a_page_costs_few_statements_however_many_wait(manager, pos, store, django_assert_max_num_queries):
    for number in range(30):
        Alignment.objects.create(
            item=factories.item(pos, f"S{number}"), listing=factories.listing(store, f"S{number}"), match_type="exact",
            confidence=Decimal("0.9"),
        )  # fmt: skip
    with django_assert_max_num_queries(25):
        manager.get(REVIEW)
