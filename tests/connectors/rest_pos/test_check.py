"""The connection test says in the owner's words what works and what doesn't, and changes nothing; so do the settings."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from connectors.registry import kind_get
from connectors.rest_pos.settings import RestPosCredentials, RestPosSettings
from connectors.rest_pos.till import RestPosTill
from tests.connectors.rest_pos.conftest import NOON, row
from tests.connectors.scripted import Answer, Scripted

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "connectors" / "rest_pos.md").read_text(encoding="utf-8")


def messages(here) -> list[tuple[bool, str]]:
    return [(finding.ok, finding.message) for finding in here.till.check().findings]


def test_till_that_is_well(place):
    here = place(tls=True, locations=("Main", "Depot"))
    happened = list(here.app.happenings)
    report = here.till.check()
    assert report.ok
    assert [finding.message for finding in report.findings] == [
        "The till answers over https, and takes our token.",
        "It keeps stock at: Main, Depot.",
        "Its items can be read, such as “A pot”.",
        "Its stock can be read.",
        "The token may book adjustments; none was booked.",
    ]
    assert [finding.next_step for finding in report.findings] == [""] * 5
    assert report.facts == {"locations": "Main, Depot"}
    assert here.app.happenings == happened
    assert [request.body for request in here.app.writes] == [{}]


def test_plain_http_is_said(place):
    report = place().till.check()
    assert report.ok
    assert "anybody on the way can read it" in report.findings[0].message


def test_clock_that_is_off_is_said_and_does_no_harm(place):
    here = place(till_clock=lambda: NOON + timedelta(minutes=10))
    assert (True, "The till's clock is 10 minutes ahead of ours. Nothing depends on it.") in messages(here)


def test_wrong_token(place):
    assert messages(place(token="other")) == [(False, "The till refuses our token: The bearer token is missing or wrong.")]


def test_nobody_there(place):
    here = place()
    here.server.stop()
    report = here.till.check()
    assert not report.ok
    assert len(report.findings) == 1
    assert report.findings[0].next_step


def test_something_else_at_this_address(place, served):
    here = place(url=served(Scripted(Answer(404, "<h1>Not here</h1>", content_type="text/html"))).url)
    assert messages(here) == [(False, "There is no POS API at this address.")]


def test_till_without_items(place):
    assert (False, "The till has no items.") in messages(place(rows=[]))


def test_token_that_may_only_read(place):
    here = place(rows=[row("A", 1)])
    answer = here.app._answer
    refusal = Scripted(Answer(403, {"code": "read_only", "message": "This token may only read."}))
    from werkzeug.wrappers import Response

    def read_only(request):
        return answer(request) if request.method == "GET" else Response.from_app(refusal, request.environ, buffered=True)

    here.app._answer = read_only
    found = messages(here)
    assert found[-1] == (False, "The till refuses our token: This token may only read.")
    assert all(ok for ok, _ in found[:-1])


def test_token_shows_in_no_record(place):
    here = place(token="s3cr3t-token")
    here.till.check()
    assert here.calls
    assert not any("s3cr3t-token" in f"{call}" for call in here.calls)


# -- settings and page -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    ["till.example", "ftp://till.example", "https://me:pw@till.example", "https://till.example/?a=1", "https://x.example/v1"],
)
def test_address_that_cannot_be_one_is_refused(url):
    with pytest.raises(ValidationError):
        RestPosSettings(url=url)


@pytest.mark.parametrize("token", ["", " ", "two words", "naïve"])
def test_token_that_cannot_be_one_is_refused(token):
    with pytest.raises(ValidationError):
        RestPosCredentials(token=token)


def test_token_is_taken_as_people_copy_it():
    assert RestPosCredentials(token=" Bearer abc \n").token.get_secret_value() == "abc"
    assert RestPosSettings(url=" https://till.example/ ").url == "https://till.example"


def test_registry_knows_the_kind():
    kind = kind_get("rest_pos")
    assert (kind.label, kind.build, kind.capabilities.notes) == ("Till by POS API", RestPosTill, True)


def test_every_setting_is_in_the_page_and_no_other():
    table = PAGE.split("| setting |")[1].split("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(RestPosSettings.model_fields)


def test_every_code_is_explained_in_the_page():
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "connectors" / "rest_pos").glob("*.py"))
    used = set(re.findall(r'code="(\w+)"', code)) | {"bad_price", "bad_cost", "bad_quantity", "bad_row"}
    assert len(used) >= 9
    assert used - set(re.findall(r"`(\w+)`", PAGE)) == set()


def test_what_goes_wrong_on_the_way_is_told_of_the_till(place):
    here = place(lanes=1)
    here.server.stop()
    findings = here.till.check().findings
    assert any("The till's server refuses the connection." in finding.message for finding in findings)
    assert not any("shop" in f"{finding.message} {finding.next_step}" for finding in findings)
