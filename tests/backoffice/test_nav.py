"""The menu and the roles name what there is."""

import tomllib
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission
from django.urls import reverse

from backoffice.nav import LABELS, SHOWS, TABBED, TASKS
from backoffice.roles import LEADS, MANAGES, SEEN

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(({page for task in TASKS for page in task.pages} | {*LABELS, *SHOWS, *SHOWS.values(), *TABBED}) - {"*"})


@pytest.mark.parametrize("page", PAGES)
def test_every_page_that_the_menu_names_is_there(page):
    app, _, model = page.partition(".")
    if page.startswith("view:"):
        assert reverse(page.removeprefix("view:"))
    elif model == "*":
        assert list(apps.get_app_config(app).get_models())
    else:
        assert apps.get_model(page)


@pytest.mark.parametrize("app", SEEN)
def test_every_app_that_roles_may_look_at_is_there(app):
    assert list(apps.get_app_config(app).get_models())


@pytest.mark.django_db
@pytest.mark.parametrize("name", [*MANAGES, *LEADS])
def test_every_permission_of_a_role_is_there(name):
    app, codename = name.split(".")
    assert Permission.objects.filter(content_type__app_label=app, codename=codename).count() == 1


def test_every_folder_that_tools_and_the_image_name_is_there():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    ours = {*project["ruff"]["lint"]["isort"]["known-first-party"], *project["deptry"]["known_first_party"]}
    ours |= set(project["importlinter"]["root_packages"])
    copied = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert [name for name in [*sorted(ours), *copied] if not (ROOT / name).exists()] == []
