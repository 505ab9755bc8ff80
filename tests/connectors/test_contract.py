"""The contract says nothing that nobody asks: what it offers, the engine reads."""

import ast
from dataclasses import fields
from pathlib import Path

import pytest

from connectors.contract import Capabilities, Outcome

ROOT = Path(__file__).parents[2]
ABOVE = ("sync", "alignment", "alerts", "reporting", "backoffice")


def attributes(*folders: str) -> set[str]:
    """Result: every name that is read of something, in these folders."""
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py") if "migrations" not in path.parts]
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in files]
    assert len(trees) > 100
    return {node.attr for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


@pytest.mark.parametrize("name", [field.name for field in fields(Capabilities)])
def test_a_capability_is_asked_for(name):
    assert name in attributes(*ABOVE)


@pytest.mark.parametrize("outcome", Outcome)
def test_an_outcome_makes_a_difference(outcome):
    assert outcome.name in attributes("sync")
