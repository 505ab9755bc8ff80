"""What an address for machines does when it says nothing itself: JSON only, and nobody comes in."""

import pytest
from django.contrib.auth.models import User
from django.test import RequestFactory
from rest_framework.response import Response
from rest_framework.views import APIView

pytestmark = pytest.mark.django_db


class Silent(APIView):
    def get(self, _request):
        return Response({"on_hand": 5})

    post = get


class Open(Silent):
    permission_classes = ()


@pytest.mark.parametrize("verb", ["get", "post"])
def test_an_address_that_says_nothing_lets_in_nobody_with_a_session(rf: RequestFactory, verb):
    request = getattr(rf, verb)("/")
    request.user = User.objects.create_superuser("ada", password="pw")  # as a session would have it
    answer = Silent.as_view()(request).render()
    assert (answer.status_code, answer["Content-Type"]) == (403, "application/json")
    assert b"on_hand" not in answer.content


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/html"])
def test_only_json_is_read(rf: RequestFactory, content_type):
    class Reads(Open):
        def post(self, request):
            return Response(request.data)

    assert Reads.as_view()(rf.post("/", b"a=1", content_type=content_type)).status_code == 415


def test_there_are_no_pages_to_browse(rf: RequestFactory):
    browser = {"Accept": "text/html"}
    assert Open.as_view()(rf.get("/", headers=browser)).render()["Content-Type"] == "application/json"
    assert Open.as_view()(rf.get("/?format=api")).status_code == 404
    assert Open.as_view()(rf.get("/", headers={**browser, "Accept": "text/html, */*"})).render().content == b'{"on_hand":5}'
