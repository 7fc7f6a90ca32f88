"""The kinds of what people attach keep what every kind promises."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from tests.kernel.kind_checks import KindChecks


class TestTags(KindChecks):
    path = "tags"
    invalid = {"name": "a,b", "color": "red"}
    changes = {"color": "#2fb344", "description": "what is green"}

    def valid(self, n: int) -> dict[str, Any]:
        return {"name": f"tag {n}", "color": "#f2b705"}


class TestCustomFields(KindChecks):
    path = "custom-fields"
    invalid = {"kind": "unicorns", "name": "Not This", "type": "color", "choices": ["a"], "pattern": "(", "minimum": "x",
               "target": "devices", "default": [5]}  # fmt: skip
    changes = {"label": "Owner", "required": True, "pattern": "[a-z]*", "maximum": 10.0}

    def valid(self, n: int) -> dict[str, Any]:
        return {"kind": "sites", "name": f"field_{n}", "type": "text"}


class OnASite(KindChecks):
    """Something that hangs on a site."""

    def on(self) -> dict[str, Any]:
        if not hasattr(self, "site"):
            self.site = self.send("post", "/api/sites/", {"name": "attic"}, 201)["id"]
        return {"kind": "sites", "record": self.site}


class TestNotes(OnASite):
    path = "notes"
    invalid = {"kind": "unicorns", "record": "nowhere", "text": "", "level": "awful"}
    changes = {"text": "another", "level": "danger"}

    def valid(self, n: int) -> dict[str, Any]:
        return {**self.on(), "text": f"note {n}"}


class TestLinks(OnASite):
    path = "links"
    invalid = {"kind": "unicorns", "record": "nowhere", "url": "javascript:alert(1)", "sort": "hates"}
    changes = {"label": "the handbook"}

    def valid(self, n: int) -> dict[str, Any]:
        return {**self.on(), "sort": "documented_in", "url": f"https://wiki.example.org/{n}"}


class TestFiles(OnASite):
    path = "files"
    changes = {"description": "of the attic"}

    def make(self, start: int, stop: int) -> list[Any]:
        made = []
        for n in range(start, stop):
            body = {**self.on(), "file": SimpleUploadedFile(f"f{n}.txt", f"{n}".encode())}
            made.append(self.writer.post("/api/files/upload/", body).json()["id"])
        return made
