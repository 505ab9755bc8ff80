"""What the pretend shop needs beside Evenstock's own requirements: the extra `evenstock[demo]`, which no real shop installs."""

from importlib.util import find_spec

from django.conf import settings

from connectors.errors import ConfigError

NEEDS = ("cryptography", "werkzeug")


def sandbox_check() -> None:
    """Raises ConfigError where the pretend shop can't open: it isn't here, as in the image, or packages of its own aren't."""
    if not (settings.BASE_DIR / "sandbox" / "__main__.py").is_file():
        raise ConfigError(
            "The pretend shop is not part of this installation: a real shop needs none.",
            next_step="Run it from a copy of Evenstock's source, with make demo.",
        )
    if missing := [name for name in NEEDS if find_spec(name) is None]:
        raise ConfigError(
            f"The pretend shop needs what a real shop doesn't, and it is not installed here: {', '.join(missing)}.",
            next_step="Run, in Evenstock's folder: pip install '.[demo]' (make demo does that by itself).",
        )
