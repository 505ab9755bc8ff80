"""Scripts of shops and of ours call commands: their words, options, exit codes and the demo's line of JSON stay as they are.

`kept/commands.json` was written by 0.2.0. What a later version adds is added there, too, on purpose.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import get_commands, load_command_class

from backoffice.management.commands.demo import Command as Demo
from connectors.management.base import Exit

KEPT: dict[str, Any] = json.loads((Path(__file__).parent / "kept/commands.json").read_text(encoding="utf-8"))
EVERY_COMMANDS = {
    "--no-color",
    "--force-color",
    "--skip-checks",
    "-h",
    "--version",
    "-v",
    "--settings",
    "--pythonpath",
    "--traceback",
}
ROOT = Path(__file__).parents[2]


def ours() -> dict[str, str]:
    """Result: by command, the app that has it."""
    apps = {name: app if isinstance(app, str) else app.name for name, app in get_commands().items()}
    return {name: app for name, app in apps.items() if (ROOT / app).is_dir()}


@pytest.mark.parametrize("name", KEPT)
def test_a_command_is_called_as_before(name):
    command = load_command_class(ours()[name], name)
    options = {
        " ".join(action.option_strings) or action.dest: [
            action.help or "",
            sorted(map(str, action.choices)) if action.choices else None,
            action.nargs,
            action.required,
        ]
        for action in command.create_parser("manage.py", name)._actions
        if not EVERY_COMMANDS.intersection(action.option_strings)
    }
    assert {"help": command.help, "options": options} == KEPT[name]


def test_no_command_is_new_and_unlisted():
    assert ours().keys() == KEPT.keys()


def test_exit_codes_are_what_scripts_know():
    assert {code.name: code.value for code in Exit} == {"OK": 0, "FAILED": 1, "PARTIAL": 3, "REFUSED": 4, "STOPPED": 130}


@pytest.mark.django_db
def test_the_demos_line_says_what_it_said():
    result = Demo._result(converged=True, seconds=13.34)
    assert list(result) == ["items", "listings", "aligned", "writes", "converged", "seconds"]
    assert (result["converged"], result["seconds"]) == (True, 13.3)
