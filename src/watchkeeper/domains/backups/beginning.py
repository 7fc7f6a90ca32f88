"""Records of a first start: their tables are made from the models as they are now, and every migration counts as done. To go
through all migrations would make each model anew hundreds of times, which takes most of a minute. That both ways give the
same tables is held by a test."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.operations import RunPython
from django.db.migrations.recorder import MigrationRecorder


def empty() -> bool:
    """Whether there is nothing in the database at all."""
    return not connection.introspection.table_names()


def make(executor: MigrationExecutor) -> None:
    """All tables and what is in them from the start, in one transaction: after a kill there is nothing, or all."""
    recorder = MigrationRecorder(connection)
    with connection.schema_editor() as editor:
        for model in apps.get_models():
            meta = model._meta
            if meta.managed and not meta.proxy and not meta.swapped:
                editor.create_model(model)
        while editor.deferred_sql:
            editor.execute(editor.deferred_sql.pop(0))
        recorder.ensure_schema()
        for app, name in executor.loader.graph.nodes:
            recorder.record_applied(app, name)
        fill(editor)


def fill(editor: Any = None) -> None:
    """What our migrations put into new tables; those that only mend what older versions wrote are elidable."""
    for operation in _operations():
        if isinstance(operation, RunPython) and not operation.elidable:
            operation.code(apps, editor)


def _operations() -> Iterator[Any]:
    for config in apps.get_app_configs():
        if not config.name.startswith("watchkeeper."):
            continue
        try:
            package = import_module(f"{config.name}.migrations")
        except ModuleNotFoundError:
            continue
        for name in sorted(m.name for m in iter_modules(package.__path__)):
            yield from import_module(f"{package.__name__}.{name}").Migration.operations
