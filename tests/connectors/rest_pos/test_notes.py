"""Notes for the staff of a till with an API, over real HTTP."""

from uuid import UUID

import pytest

from connectors.contract import TillNote
from connectors.errors import ConfigError, RejectedError
from tests.connectors.scripted import Answer, Scripted

ONE = UUID("5e0c0000-0000-4000-8000-000000000001")
NOTE = TillNote(ONE, "High: Below zero – Mug", ["Mug (MUG-1): −2 at Main street"])


def test_a_note_is_shown_once_however_often_it_is_sent(place):
    here = place()
    here.till.note(NOTE)
    here.till.note(NOTE)
    (shown,) = here.app.notes.values()
    assert (shown.operation_id, shown.title, list(shown.lines)) == (ONE, NOTE.title, list(NOTE.lines))


def test_a_note_that_is_too_long_is_cut(place):
    here = place()
    here.till.note(TillNote(ONE, "T" * 300, ["L" * 300] * 60))
    (shown,) = here.app.notes.values()
    assert (len(shown.title), len(shown.lines), len(shown.lines[0])) == (120, 50, 200)


def test_a_note_the_till_refuses_says_so(place):
    with pytest.raises(RejectedError):
        place().till.note(TillNote(ONE, "", []))


def test_a_till_without_notes_says_so(place, served):
    def app(_request):
        return Answer(404, {"code": "not_found", "message": "No such thing"})

    with pytest.raises(ConfigError, match="can't show notes"):
        place(url=served(Scripted(app)).url).till.note(NOTE)
