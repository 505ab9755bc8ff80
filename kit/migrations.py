"""Steps that migrations of several apps share."""

from typing import Any

from django.apps.registry import Apps
from django.db import migrations


def content_types_move(old: str, new: str, *models: str) -> migrations.RunPython:
    """A step after which models that moved from one app to another keep what points at them by name: the permissions people were
    given, and the lines of the admin's own log. Undone, it moves them back."""

    def move(source: str, target: str) -> Any:
        def step(apps: Apps, schema_editor: Any) -> None:
            types = apps.get_model("contenttypes", "ContentType").objects.using(schema_editor.connection.alias)
            for model in models:
                if not types.filter(app_label=target, model=model).exists():
                    types.filter(app_label=source, model=model).update(app_label=target)

        return step

    return migrations.RunPython(move(old, new), move(new, old))
