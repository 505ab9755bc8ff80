"""“Why this number”, as pages."""
