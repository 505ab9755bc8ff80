"""Made-up catalogues of other trades, with the truth: what a till and a shop call the same thing. Seeded: the same every time."""
