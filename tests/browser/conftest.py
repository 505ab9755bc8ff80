"""A seeded shop in a real browser. Pages are opened as one of the logins of seed.py, light or dark, wide or narrow.

The clock runs in these tests, for the shop is served by processes of their own, which begin with the test's date and run on.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.browser.seed import session_key
from tests.browser.server import ServedShop, chromium, served

CSRF = "c" * 32  # Django's, as any client may choose it
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 844}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here, found = Path(__file__).parent, chromium()
    for item in items:
        if here not in item.path.parents:
            continue
        item.add_marker(pytest.mark.ticking)
        if not found:
            item.add_marker(pytest.mark.skip(reason="there is no Chromium on this machine: install the package “chromium”"))


@pytest.fixture(scope="session")
def served_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedShop]:
    with served(tmp_path_factory.mktemp("shop")) as shop:
        yield shop


@pytest.fixture
def shop(served_shop: ServedShop) -> Iterator[ServedShop]:
    """The seeded shop, put back as it was when a test has changed it."""
    yield served_shop
    served_shop.put_back()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def open_as(browser: Any, served_shop: ServedShop) -> Iterator[Callable[..., Any]]:
    """Result: a page of somebody who is logged in: `open_as("manager", dark=True, narrow=True)`; "" is nobody at all.

    What the browser's console complains of, such as a breach of our security policy, is in `page.complaints`.
    """
    with ExitStack() as opened:

        def page_of(login: str = "manager", *, dark: bool = False, narrow: bool = False, scripts: bool = True) -> Any:
            context = browser.new_context(
                base_url=served_shop.url,
                color_scheme="dark" if dark else "light",
                viewport=NARROW if narrow else WIDE,
                java_script_enabled=scripts,
            )
            opened.callback(context.close)
            if login:
                context.add_cookies(
                    [
                        {"name": name, "value": value, "url": served_shop.url}
                        for name, value in (("sessionid", session_key(login)), ("csrftoken", CSRF))
                    ]
                )
            page = context.new_page()
            page.complaints = []
            page.on("console", lambda message: page.complaints.append(message.text) if message.type == "error" else None)
            page.on("pageerror", lambda error: page.complaints.append(str(error)))
            return page

        yield page_of


@pytest.fixture
def post_by_hand(open_as: Callable[..., Any]) -> Callable[..., int]:
    """Result: the status that somebody gets who sends a form without having seen its button: `post_by_hand("viewer", path)`."""

    def post(login: str, path: str, **form: str) -> int:
        answer = open_as(login).context.request.post(path, form={**form, "csrfmiddlewaretoken": CSRF}, max_redirects=0)
        return int(answer.status)

    return post
