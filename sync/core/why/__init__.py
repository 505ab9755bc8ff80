"""Why a number is what it is (ledger.md): from the first count to what each system shows. Pure: no Django, no clock."""
