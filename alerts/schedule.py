"""When alerts are looked for and told."""
