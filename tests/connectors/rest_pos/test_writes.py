"""Adjustments over real HTTP: what became of each is told truly, whatever the till and the network do."""

from dataclasses import replace
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from connectors.contract import Outcome, TillWrite
from connectors.rest_pos import writes as writes_module
from connectors.rest_pos.client import Client
from connectors.rest_pos.writes import adjustments_send
from tests.connectors.rest_pos.conftest import NOON, row
from tests.connectors.scripted import Answer, Scripted

ONE = UUID("5e0c0000-0000-4000-8000-000000000001")
POST = {"method": "POST", "path": "adjustments"}


def write(operation_id: UUID = ONE, sku: str = "A", delta: str = "-2.000", **fields) -> TillWrite:
    return TillWrite(operation_id, sku, fields.pop("location", "Main"), Decimal(delta), "Sold online", **fields)


def sent(here, *writes: TillWrite) -> dict[UUID, Outcome]:
    return {result.operation_id: result.outcome for result in here.till.send(writes or [write()])}


def test_adjustment_is_booked_once_under_its_operation_id(place):
    here = place()
    assert sent(here, write(reference="run 7")) == {ONE: Outcome.APPLIED}
    assert sent(here, write(reference="run 7")) == {ONE: Outcome.ALREADY_APPLIED}
    assert here.app.on_hand("A") == 8
    booked = here.app.adjustment(ONE).adjustment
    assert (booked.delta, booked.location, booked.reason, booked.reference) == (Decimal(-2), "Main", "Sold online", "run 7")
    assert here.app.writes[0].body["delta"] == "-2"


def test_many_go_out_one_by_one_and_each_has_its_result(place):
    here = place()
    many = [write(uuid4(), sku=sku, delta="1") for sku in "ABC" * 7]
    assert sent(here, *many) == dict.fromkeys((one.operation_id for one in many), Outcome.APPLIED)
    assert [here.app.on_hand(sku) for sku in "ABC"] == [17, 11, 7]
    assert len(here.app.writes) == 21


def test_refused_adjustments_say_why_and_the_others_go_on(place):
    here = place()
    gone, nowhere, other = write(uuid4(), sku="Z"), write(uuid4(), location="Moon"), write(uuid4(), delta="1")
    results = {result.operation_id: result for result in here.till.send([gone, nowhere, other])}
    assert results[gone.operation_id].outcome is Outcome.REJECTED
    assert results[gone.operation_id].error.code == "unknown_sku"
    assert "no item 'Z'" in results[gone.operation_id].error.message
    assert results[nowhere.operation_id].error.code == "unknown_location"
    assert results[other.operation_id].outcome is Outcome.APPLIED


def test_same_operation_id_with_other_content_is_rejected(place):
    here = place()
    sent(here)
    (result,) = here.till.send([replace(write(), delta=Decimal(-3))])
    assert (result.outcome, result.error.code) == (Outcome.REJECTED, "operation_id_reused")
    assert here.app.on_hand("A") == 8


LOST = {
    "hang": {"seconds": 3},
    "close": {},
    "reset": {},
    "gateway": {},
    "fatal": {},
}


@pytest.mark.parametrize("applied", [True, False], ids=["took_effect", "no_effect"])
@pytest.mark.parametrize("fault", list(LOST))
def test_adjustment_without_an_answer_is_unknown_until_looked_up(place, fault, applied):
    here = place(read_timeout=0.5, settle_seconds=7)
    here.app.faults.arm(fault, applied=applied, **LOST[fault], **POST)
    assert sent(here) == {ONE: Outcome.UNKNOWN}
    assert len(here.app.writes) == 1
    expected = Outcome.APPLIED if applied else Outcome.NOT_SENT
    assert here.till.look_up([ONE]) == {ONE: expected}
    assert here.slept == []  # the engine waits, by time; see `patience`
    assert here.app.on_hand("A") == (8 if applied else 10)


@pytest.mark.parametrize("fault", ["html", "bom", "half_json", "notice", "cut_off"])
def test_answer_that_cannot_be_read_is_unknown_and_was_booked(place, fault):
    here = place()
    here.app.faults.arm(fault, **POST)
    assert sent(here) == {ONE: Outcome.UNKNOWN}
    assert here.till.look_up([ONE]) == {ONE: Outcome.APPLIED}


def test_answer_about_another_operation_is_unknown(place, served):
    body = {"operation_id": str(uuid4()), "booked_at": "2026-03-02T12:00:00Z"}
    here = place(url=served(Scripted(Answer(201, body))).url)
    assert sent(here) == {ONE: Outcome.UNKNOWN}


@pytest.mark.parametrize("status", [202, 400, 405])
def test_answer_in_nobodys_words_is_unknown(place, served, status):
    here = place(url=served(Scripted(Answer(status, {"ok": True}))).url)
    assert sent(here) == {ONE: Outcome.UNKNOWN}


def test_till_that_asks_to_slow_down_gets_the_others_later(place):
    here = place(lanes=1)
    here.app.faults.arm("rate_limit", **POST)
    other = write(uuid4())
    assert sent(here, write(), other) == {ONE: Outcome.NOT_SENT, other.operation_id: Outcome.APPLIED}
    assert here.app.on_hand("A") == 8
    assert len(here.slept) == 1
    assert 0 < here.slept[0] <= 1


def test_till_that_is_down_is_asked_once_and_nothing_was_sent(place):
    here = place(lanes=1)
    here.server.stop()
    many = [write(uuid4()) for _ in range(5)]
    assert set(sent(here, *many).values()) == {Outcome.NOT_SENT}
    assert len(here.calls) == 1


def test_wrong_token_is_tried_once_and_nothing_was_sent(place):
    here = place(token="other", lanes=1)
    many = [write(uuid4()) for _ in range(5)]
    results = here.till.send(many)
    assert {(result.outcome, result.error.code) for result in results} == {(Outcome.NOT_SENT, "unauthorized")}
    assert len(here.app.writes) == 1
    assert here.app.on_hand("A") == 10


def test_slow_till_is_left_in_time_for_the_rest_to_go_out_later(place):
    here = place(lanes=1)
    times = iter([0.0, 1.0, writes_module.LONGEST + 1])
    client: Client = here.till._client
    one, two, three = (write(uuid4(), delta="1") for _ in range(3))
    results = adjustments_send(client, here.till.pacer, [one, two, three], clock=lambda: next(times))
    assert [result.outcome for result in results] == [Outcome.APPLIED, Outcome.NOT_SENT, Outcome.NOT_SENT]
    assert here.app.on_hand("A") == 11


def test_nothing_to_send_asks_nothing(place):
    here = place()
    assert here.till.send([]) == []
    assert here.till.look_up([]) == {}
    assert here.app.requests == []


# -- looking up --------------------------------------------------------------------------------------------------------


def test_adjustment_that_lands_late_is_found_by_the_next_look(place):
    here = place(settle_seconds=7, read_timeout=20)
    two = uuid4()
    assert here.till.look_up([ONE, two]) == {ONE: Outcome.NOT_SENT, two: Outcome.NOT_SENT}
    sent(here)
    assert here.till.look_up([ONE, two]) == {ONE: Outcome.APPLIED, two: Outcome.NOT_SENT}
    # A round of sending may take two minutes, then an answer is waited for, then the till may work on.
    assert here.till.patience.total_seconds() == 120 + 20 + 7


@pytest.mark.parametrize("fault", ["html", "half_json", "gateway", "forbidden"])
def test_nobody_can_tell_while_the_till_answers_badly(place, fault):
    here = place()
    sent(here)
    here.app.faults.arm(fault, method="GET", count=None)
    assert here.till.look_up([ONE, uuid4()]).keys() >= {ONE}
    assert set(here.till.look_up([ONE, uuid4()]).values()) == {Outcome.UNKNOWN}


def test_page_not_found_by_a_proxy_is_not_the_tills_word(place, served):
    places = Answer(body={"data": [{"name": "Main", "is_default": True}]})
    lost = Answer(404, "<h1>Not found</h1>", content_type="text/html")
    here = place(url=served(Scripted(lambda request: places if request.path == "/v1/locations" else lost)).url)
    assert here.till.look_up([ONE]) == {ONE: Outcome.UNKNOWN}


def test_another_server_that_knows_of_nothing_proves_nothing(place):
    here = place()
    elsewhere = place(url=f"{here.server.url}/elsewhere")
    assert elsewhere.till.look_up([ONE]) == {ONE: Outcome.UNKNOWN}


def test_till_tells_when_it_booked_and_is_asked_once(place):
    here = place(rows=[row("A", 10)])
    sent(here)
    assert here.till.look_up([ONE]) == {ONE: Outcome.APPLIED}
    here.app.forget_requests()
    assert here.till.acknowledged_at([ONE]) == {ONE: NOON}
    assert here.app.requests == []


def test_time_of_booking_is_left_out_where_the_till_does_not_tell(place):
    here = place(rows=[row("A", 10)])
    sent(here)
    two = uuid4()
    assert here.till.acknowledged_at([ONE, two]) == {ONE: NOON}
    here.server.stop()
    assert here.till.acknowledged_at([ONE, two]) == {ONE: NOON}
