"""What the workers do for alerts."""
