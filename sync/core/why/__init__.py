"""Why a number is what it is (design.md §3): from the first count to what each system shows. Pure: no Django, no clock."""
