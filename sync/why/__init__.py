"""Selectors that read what explains a number: `sync.core.why` tells it."""
