"""The ways a message goes: one module each. None of them knows alerts; each takes a `Message`."""
