from pathlib import Path

import pytest

from connectors.errors import ConfigError
from connectors.pos_csv.reading.columns import resolve
from connectors.pos_csv.reading.problems import FileRefusedError
from tests.connectors.pos_csv.conftest import settings


def found(header: str, **given: object) -> dict[str, str]:
    return resolve(header.split(","), settings(**given)).found()


def test_the_hydro_export_needs_no_setting() -> None:
    header = "SKU,Description,UPC,Department,Vendor,Cost,Retail Price,Qty On Hand,Last Modified"
    assert found(header) == {
        "sku": "SKU",
        "barcode": "UPC",
        "price": "Retail Price",
        "cost": "Cost",
        "name": "Description",
        "category": "Department",
        "vendor": "Vendor",
        "updated": "Last Modified",
        "quantity": "Qty On Hand",
    }


@pytest.mark.parametrize("header", ["item_code,STOCK ON HAND", "Item-Code,qoh", " Référence ,Quantité", "ARTIKELNUMMER,Bestand"])
def test_case_spaces_and_underscores_make_no_difference(header: str) -> None:
    assert set(found(header)) == {"sku", "quantity"}


@pytest.mark.parametrize(
    ("header", "role", "both"),
    [
        ("SKU,Item Number,Qty", "sku", ("SKU", "Item Number")),
        ("SKU,Qty,Available", "quantity", ("Qty", "Available")),
        ("SKU,UPC,EAN,Qty", "barcode", ("UPC", "EAN")),
        ("SKU,Qty,Qty", "quantity", ("Qty", "Qty")),
        ("SKU,Qty,inventory_Main", "quantity", ("Qty", "inventory_Main")),
    ],
)
def test_two_columns_for_one_role_are_an_error_naming_both(header: str, role: str, both: tuple[str, str]) -> None:
    with pytest.raises(ConfigError) as error:
        found(header)
    assert error.value.code == "ambiguous_columns"
    assert error.value.message.startswith(f"2 columns could hold the {role}: “{both[0]}”, “{both[1]}”.")
    assert error.value.next_step == f'Name it in the setting columns, for instance {{"{role}": "{both[0]}"}}.'


def test_a_configured_column_settles_what_aliases_cannot() -> None:
    columns = found("SKU,UPC,EAN,Qty,Available", columns={"barcode": "EAN", "quantity": "Available"})
    assert (columns["barcode"], columns["quantity"]) == ("EAN", "Available")


def test_a_role_can_be_said_not_to_be_there() -> None:
    assert "barcode" not in found("SKU,UPC,EAN,Qty", columns={"barcode": ""})


def test_a_column_taken_by_setting_is_not_proposed_for_another_role() -> None:
    assert found("Code,Article,Qty", columns={"barcode": "Code"}) == {"barcode": "Code", "sku": "Article", "quantity": "Qty"}


def test_a_description_names_the_item_only_where_no_name_does() -> None:
    assert found("SKU,Name,Description,Qty")["name"] == "Name"


def test_a_renamed_configured_column_refuses_the_file_and_says_which() -> None:
    with pytest.raises(FileRefusedError) as refusal:
        found("SKU,On Shelf,Price", columns={"quantity": "Qty"})
    assert refusal.value.code == "header"
    assert refusal.value.message == (
        "The file has no column “Qty”, which is set as the quantity column. It has: “SKU”, “On Shelf”, “Price”."
    )


def test_another_list_is_refused_for_want_of_its_columns() -> None:
    with pytest.raises(FileRefusedError) as refusal:
        found("Date,Receipt,Cashier,Total")
    assert refusal.value.message == (
        "No column of the file is the SKU. None of its column names is known, so they are not shown here: it may be no stock "
        "list. A sample under Set-up shows them."
    )
    with pytest.raises(FileRefusedError) as refusal:
        found("Date,Receipt,Cashier,Quantity")
    assert refusal.value.message == "No column of the file is the SKU. It has: “Date”, “Receipt”, “Cashier”, “Quantity”."


def test_a_known_tills_list_is_recognised_in_the_refusal() -> None:
    with pytest.raises(FileRefusedError) as refusal:
        found("Handle,Title,SKU,Location,On hand (current),On hand (new)")
    assert refusal.value.next_step == "This looks like an export of shopify_inventory: set preset to shopify_inventory."


def test_per_outlet_columns_can_be_configured() -> None:
    columns = resolve(["SKU", "Stock Paris", "Stock Lyon"], settings(outlet_columns=[r"stock (?P<o>.+)"]))
    assert [(column.outlet, column.quantity) for column in columns.quantities] == [("Paris", 1), ("Lyon", 2)]


def test_two_columns_of_one_outlet_are_an_error() -> None:
    with pytest.raises(ConfigError) as error:
        resolve(["sku", "inventory_Main", "inventory_Main"], settings(preset="lightspeed_x"))
    assert error.value.message.startswith("2 columns could hold the quantity of outlet Main:")


def test_settings_refuse_what_they_do_not_know(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Extra inputs are not permitted"):
        settings(folder=str(tmp_path), fodler="x")
    with pytest.raises(ValueError, match="There is no time zone “Mars/Olympus”"):
        settings(timezone="Mars/Olympus")
    with pytest.raises(ValueError, match="no slashes"):
        settings(pattern="../*.csv")
    with pytest.raises(ValueError, match="group"):
        settings(outlet_columns=["stock .+"])
    with pytest.raises(ValueError, match="lacks the groups day, hour, minute, month, year"):
        settings(time_pattern=r"\d+")
