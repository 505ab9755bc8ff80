"""`make screenshots`: the pictures of README and docs, of a seeded shop. Kept small by ImageMagick, where it is there."""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.browser.seed import PASSWORD
from tests.browser.server import ROOT, ServedShop, chromium, served

IMAGES = ROOT / "docs" / "images"
MOST = 150_000  # bytes
WIDE, NARROW = {"width": 1280, "height": 860}, {"width": 390, "height": 844}
# Name → page, dark, narrow, whole page.
PICTURES: dict[str, tuple[str, bool, bool, bool]] = {
    "today": ("today", False, False, True),
    "today-dark": ("today", True, False, False),
    "today-phone": ("today", False, True, False),
    "conflicts": ("sync.syncconflict list", False, False, False),
    "conflict": ("one open conflict", False, False, False),
    "conflict-phone": ("one open conflict", True, True, False),
    "why": ("why the shop shows this", False, False, True),
    "why-phone": ("why the shop shows this", True, True, False),
    "states-dark": ("sync.syncstate list", True, False, False),
    "run": ("run with problems", False, False, False),
    "held": ("held run", False, False, False),
    "alerts": ("alerts.alert list", False, False, False),
    "set-up": ("set-up", False, False, True),
    "set-up-phone": ("set-up", True, True, False),
    "set-up-found": ("test of a connection", False, False, True),
    "set-up-columns": ("sample columns", False, False, False),
    "go-live": ("go-live report", False, False, False),
}
SETS_UP = ("set-up", "test of a connection", "sample columns", "go-live report")
WHO = {"held run": "lead", **dict.fromkeys(SETS_UP, "administrator")}
MESSY = ROOT / "sandbox" / "data" / "hydro" / "pos_export_messy.csv"
BEFORE_LIVE = ("set-up", "go-live report")  # taken of the shop as it was one step before


def main() -> int:
    """Result: the exit code; 1 where there is no browser, or a picture is too large."""
    parser = argparse.ArgumentParser(prog="python -m tests.browser.screenshots", description=__doc__)
    parser.add_argument("--every", metavar="FOLDER", help="every page there is, light, dark and on a phone, into this folder")
    asked = parser.parse_args()
    if not (found := chromium()):
        print("There is no Chromium on this machine: install the package “chromium”.", file=sys.stderr)
        return 1
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django
    from playwright.sync_api import sync_playwright

    django.setup()
    with tempfile.TemporaryDirectory() as folder, served(Path(folder), products=600) as shop, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        if asked.every:
            _take_every(browser, shop, Path(asked.every))
            browser.close()
            return 0
        for name, picture in PICTURES.items():
            _take(browser, shop, IMAGES / f"{name}.png", *picture)
        browser.close()
    large = [path for path in IMAGES.glob("*.png") if path.stat().st_size > MOST]
    for path in large:
        print(f"{path} is larger than {MOST:,} bytes.", file=sys.stderr)
    return 1 if large else 0


def _take(browser: Any, shop: ServedShop, path: Path, page_name: str, dark: bool, narrow: bool, whole: bool) -> None:
    from tests.browser.pages import pages

    look = {"color_scheme": "dark" if dark else "light", "viewport": NARROW if narrow else WIDE}
    context = browser.new_context(base_url=shop.url, **look)
    page = context.new_page()
    _log_in(page, WHO.get(page_name, "manager"))
    if page_name in BEFORE_LIVE:
        with shop.change() as rows:
            rows.execute("update connectors_connection set mode = 'observe' where name = 'web-shop'")
    if page_name == "sample columns":
        page.goto(pages(shop)["sample export"])
        page.set_input_files("[name=file]", MESSY)
        page.click("input[type=submit]")
        page.wait_for_selector("#preview")
    else:
        page.goto(pages(shop)[page_name])
    page.screenshot(path=path, full_page=whole)
    context.close()
    if page_name in BEFORE_LIVE:
        shop.put_back()
    if shutil.which("convert"):
        subprocess.run(["convert", path, "+dither", "-colors", "64", "-strip", f"png8:{path}"], check=True)
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size:,} bytes")


def _take_every(browser: Any, shop: ServedShop, folder: Path) -> None:
    from tests.browser.pages import pages

    folder.mkdir(parents=True, exist_ok=True)
    page = browser.new_context(base_url=shop.url).new_page()
    _log_in(page, "root")
    found = pages(shop)
    for name, path in found.items():
        page.goto(path)
        for look, dark, size in (("light", False, WIDE), ("dark", True, WIDE), ("phone", False, NARROW)):
            page.emulate_media(color_scheme="dark" if dark else "light")
            page.set_viewport_size(size)
            page.evaluate("() => Promise.all(document.getAnimations().map(one => one.finished))")
            page.screenshot(path=folder / f"{re.sub('[^a-z0-9]+', '-', name)}-{look}.png", full_page=True)
    print(f"{len(found)} pages, {3 * len(found)} pictures in {folder}")


def _log_in(page: Any, login: str) -> None:
    page.goto("/admin/login/")
    page.fill("#id_username", login)
    page.fill("#id_password", PASSWORD)
    page.click("[type=submit]")


if __name__ == "__main__":
    sys.exit(main())
