"""What is measured, how it is judged and how it is drawn. Pure: no Django, no clock, no network."""
