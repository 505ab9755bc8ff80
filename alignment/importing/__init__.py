"""An alignment file: read into rows, and what each row would do. Pure."""
