"""What is worth an alert (pure: no Django, no clock; `now` is an argument)."""
