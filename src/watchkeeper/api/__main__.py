"""`python -m watchkeeper.api` writes the reference of the API."""

import sys

import django

django.setup()

from watchkeeper.api.reference import page  # noqa: E402  (it knows records)

sys.stdout.write(page())
