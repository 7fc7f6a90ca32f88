"""The console as a Django app: its templates, tags and static files."""

from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    """Found by Django through the name of the package."""

    name = "watchkeeper.console"
    label = "console"
