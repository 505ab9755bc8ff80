"""Setting a shop up, from nothing to live: a checklist read from the rows, and the pages of its steps."""
