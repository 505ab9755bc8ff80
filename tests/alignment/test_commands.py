"""`import_alignment` and `test_alignment`, as a shop owner meets them."""

import sys
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.core.management.base import BaseCommand

from alignment.models import Alignment
from connectors.management.base import CommandExit
from inventory.models import Listing
from tests import factories

HEADER = "POS SKU,WooCommerce SKU,Match Type,Confidence\n"


@pytest.fixture
def run(capsys):
    """Runs a command. Result: exit code, what it said, what it complained about."""

    def command(name: str, *arguments: str) -> tuple[int, str, str]:
        code, complaint = 0, ""
        try:
            call_command(name, *arguments)
        except CommandExit as end:
            code, complaint = end.code, end.message
        return code, capsys.readouterr().out, complaint

    return command


@pytest.fixture
def file(tmp_path):
    """Writes an alignment file with these rows."""

    def write(*rows: str, name: str = "pairs.csv") -> str:
        path = tmp_path / name
        path.write_text(HEADER + "".join(f"{row}\n" for row in rows), encoding="utf-8")
        return str(path)

    return write


@pytest.fixture
def mugs(pos, store):
    for sku in ("MUG-1", "MUG-2"):
        factories.item(pos, sku, name="Mug")
        factories.listing(store, sku)
    return pos, store


def test_a_good_file_is_applied_and_counted(run, file, mugs):
    code, said, complaint = run("import_alignment", file("MUG-1,MUG-1,exact,1", "MUG-2,MUG-2,fuzzy,0.9"))
    assert (code, complaint) == (0, "")
    assert said == "till ↔ shop, 2 rows: created 2, changed 0, unchanged 0, conflicts 0, errors 0.\n"
    assert set(Alignment.history.values_list("history_change_reason", flat=True)) == {"import_alignment pairs.csv"}
    assert run("import_alignment", file("MUG-1,MUG-1,exact,1"))[:2] == (
        0,
        "till ↔ shop, 1 rows: created 0, changed 0, unchanged 1, conflicts 0, errors 0.\n",
    )


def test_a_dry_run_says_the_same_and_writes_nothing(run, file, mugs):
    code, said, _ = run("import_alignment", file("MUG-1,MUG-1,exact,1"), "--dry-run")
    assert code == 0
    assert "would be created 1" in said
    assert "Dry run: nothing was written." in said
    assert not Alignment.objects.exists()


def test_problem_rows_are_told_with_line_and_next_step_and_the_good_ones_applied(run, file, mugs):
    code, said, complaint = run("import_alignment", file("MUG-1,MUG-1,exact,1", "MUG-9,MUG-2,exact,1"))
    assert (code, complaint) == (3, "")
    assert said.splitlines()[0] == (
        "Line 3: MUG-9 ↔ MUG-2: error: The till has no item “MUG-9”. "
        "Check the spelling. If the item is new, let the till export again first. If it is there, its row could not be read: "
        "the till's last export says why, under Runs."
    )
    assert Alignment.objects.count() == 1


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        (["MUG-9,MUG-1,exact,1"], "No row could be used."),
        ([], "The file has a header and no rows.\nExport it again, with its rows."),
    ],
)
def test_a_file_without_any_usable_row_fails(run, file, mugs, rows, complaint):
    code, _, said = run("import_alignment", file(*rows))
    assert (code, said) == (1, complaint)
    assert not Alignment.objects.exists()


def test_a_file_that_is_not_there_fails_without_traceback(run, mugs, tmp_path):
    code, _, complaint = run("import_alignment", str(tmp_path / "no.csv"))
    assert code == 1
    assert "can't be read: No such file or directory." in complaint


def test_another_encoding_is_read_when_chosen(run, mugs, tmp_path):
    factories.item(mugs[0], "ÉLITE")
    path = tmp_path / "pairs.csv"
    path.write_bytes((HEADER + "ÉLITE,MUG-1,manual,1\n").encode("cp1252"))
    code, _, complaint = run("import_alignment", str(path))
    assert code == 1
    assert "Windows (cp1252)" in complaint
    assert run("import_alignment", str(path), "--encoding", "cp1252")[0] == 0


def test_with_several_tills_or_stores_one_must_be_named(run, file, mugs):
    factories.pos_connection("second-till")
    path = file("MUG-1,MUG-1,exact,1")
    assert run("import_alignment", path)[2] == "There are several tills: second-till, till.\nSay which one with --till NAME."
    assert run("import_alignment", path, "--till", "till")[0] == 0
    factories.store_connection("second-shop")
    assert run("import_alignment", path, "--till", "till")[2] == (
        "There are several stores: second-shop, shop.\nSay which one with --connection NAME."
    )
    assert run("import_alignment", path, "--till", "till", "--connection", "shop")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--connection", "nowhere"], "There is no connection “nowhere”.\nUse one of: shop."),
        (["--connection", "till"], "“till” is a till, not a store.\nUse one of: shop."),
        (["--till", "old"], "“old” is not in use.\nSwitch it on under Connections, or name another one."),
    ],
)
def test_a_wrong_name_is_answered_with_the_right_ones(run, file, mugs, arguments, complaint):
    factories.pos_connection("old", is_active=False)
    assert run("import_alignment", file("MUG-1,MUG-1,exact,1"), *arguments)[::2] == (1, complaint)


def test_without_any_connection_the_next_step_is_said(run, file, db):
    code, _, complaint = run("import_alignment", file("MUG-1,MUG-1,exact,1"))
    assert (code, complaint) == (1, "There is no store yet.\nConnect one with the connect command.")


def test_from_the_shell_a_failure_is_a_message_and_an_exit_code(monkeypatch, capsys, db, tmp_path):
    from alignment.management.commands.import_alignment import Command

    # Django closes every connection at the end, which a test in a transaction must not do.
    monkeypatch.setattr("django.core.management.base.connections.close_all", lambda: None)
    command: BaseCommand = Command()
    with pytest.raises(SystemExit) as end:
        command.run_from_argv([sys.argv[0], "import_alignment", str(tmp_path / "no.csv")])
    assert end.value.code == 1
    assert capsys.readouterr().err.strip() == "There is no store yet.\nConnect one with the connect command."


def test_a_pair_is_explained(run, pos, store, now):
    item = factories.item(pos, "MUG-1", name="Mug")
    level = factories.level(item, 7, reserved=Decimal(2))
    factories.supply(store, level.location, buffer=1)
    listing = factories.listing(store, "mug1", name="Mug, red", quantity=Decimal(3), baseline=Decimal(3), read_at=factories.SEEN)
    factories.alignment(item, listing, evidence="same SKU apart from spelling")
    other = factories.listing(store, "MUG 1")
    factories.alignment(item, other, status="rejected", evidence="a poster")
    code, said, _ = run("test_alignment", "--sku", "MUG-1")
    assert code == 0
    assert said.splitlines() == [
        "MUG 1 in shop has no confirmed partner.",
        "MUG-1 (Mug) of till is mug1 (Mug, red) in shop.",
        "  Why: Exact SKU, confidence 1: same SKU apart from spelling",
        "  Nothing is known of it yet: the till has not counted it.",
        "  till says 7, as many as lie at Main street.",
        "                7  On hand at Main street",
        "                7  till says (true 1 Mar 08:00)",
        "  shop shows 3 and should show 4, because 7 lie on the shelf, 2 are reserved and 1 is kept back as a buffer.",
        "    shop is only observed: it is owed +1 and told nothing. Set it live when its plans look right.",
        "                7  On hand",
        "        −2      5  Reserved for orders",
        "        −1      4  Kept back as a buffer",
        "                4  Should show in shop",
        "        −1      3  Not told to shop yet",
        "                3  shop shows (read 1 Mar 08:00)",
        "Other candidates:",
        "  Rejected: MUG-1 (Mug) ↔ MUG 1: a poster",
    ]


def test_what_a_side_should_show_by_now_stands_beside_its_last_word(run, pos, store):
    item = factories.item(pos, "MUG-1")
    level = factories.level(item, 7, baseline=Decimal(5), last_reading=Decimal(7))
    factories.supply(store, level.location)
    factories.alignment(item, factories.listing(store, "mug1", quantity=Decimal(3), baseline=Decimal(4)))
    said = run("test_alignment", "--sku", "MUG-1")[1]
    assert "  till says 7; 7 lie at Main street, since it has not taken in +2 yet.\n" in said
    assert "  shop shows 3 and should show 7, because 7 lie on the shelf.\n" in said


@pytest.mark.parametrize(
    ("fields", "owed"),
    [
        ({"baseline": Decimal(5), "quantity": Decimal(5)}, "shop shows 5 because 5 lie on the shelf."),
        ({"baseline": Decimal(9), "quantity": Decimal(9)}, "shop is only observed: it is owed −4 and told nothing."),
        ({"baseline": None}, "What shop shows is unknown: it has not been read yet."),
        ({"stock_management": Listing.Management.NONE}, "It is told nothing, since the shop doesn't count this product."),
        ({"missing_since": factories.SEEN}, "It is told nothing, since the product is no longer in the shop."),
    ],
)
def test_what_is_owed_or_why_not_is_said(run, pos, store, fields, owed):
    item = factories.item(pos)
    factories.supply(store, factories.level(item, 5).location)
    factories.alignment(item, factories.listing(store, **fields))
    assert f"  {owed}" in run("test_alignment", "--sku", "MUG-1")[1]


def test_an_item_that_no_supplying_location_counts_has_no_target(run, pos, store):
    factories.alignment(factories.item(pos), factories.listing(store, quantity=Decimal(3), baseline=Decimal(3)))
    said = run("test_alignment", "--sku", "MUG-1")[1]
    assert "shop shows 3; what it should show is unknown, since no place that supplies it counts the item." in said


def test_an_item_without_partner_is_said_to_have_none(run, pos, store):
    factories.item(pos, "MUG-1")
    code, said, _ = run("test_alignment", "--sku", "mug 1", "--connection", "shop")
    assert (code, said) == (0, "MUG-1 of till has no confirmed partner in shop.\n")


def test_an_unknown_sku_is_answered_with_the_closest_ones(run, mugs):
    code, said, complaint = run("test_alignment", "--sku", "MUG-3X")
    assert (code, said) == (1, "")
    assert complaint.startswith("Neither the till nor the store has a SKU “MUG-3X”.\nDid you mean: MUG-")
    assert run("test_alignment", "--sku", "zzzz")[2].endswith("Check the spelling, or read both sides again.")


def test_before_the_first_reading_the_lookup_says_so(run, db):
    assert "neither till nor store was ever read" in run("test_alignment", "--sku", "MUG-1")[2]
