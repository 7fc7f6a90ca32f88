"""Files in the browser: a list downloaded, errors with their rows, a preview, and the records after."""

from __future__ import annotations

import json

from django.test import Client
from playwright.sync_api import Page, expect

from tests.console.conftest import keep
from tests.platform import Platform
from watchkeeper.domains.identity.models import User


def test_items_from_a_file(seeded: Platform, page: Page, said: list[str]) -> None:
    """What is wrong is told with its row; what is right is shown before it is done."""
    plotter = {"name": "plotter", "kind": "printer", "attributes": {"floor": "1"}}
    made = seeded.do("/api/items/", plotter).json()
    page.goto(f"{seeded.url}/items/?search=plotter")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    (head, row) = download.value.path().read_text().splitlines()
    assert head.startswith("id,kind,declared,name,") and row.startswith(f"{made['id']},printer,,plotter,")
    page.get_by_role("link", name="Import", exact=True).click()
    rows = [{"name": "", "kind": "printer"}, {"name": "tray", "kind": "printer", "colour": "red"}]
    page.get_by_label("Or paste it here").fill(json.dumps(rows))
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("alert")).to_contain_text("2 errors: nothing was changed")
    expect(page.locator("tr", has_text="Row 2")).to_contain_text("colour")
    keep(page, "import-errors")
    narrow(page)
    said[:] = []  # the browser notes the refusal
    page.get_by_role("link", name="Choose a file").click()
    lines = ["id,name,kind,attributes", f"{made['id']},plotter-old,printer,{{}}", ",label-press,printer,"]
    content = "\n".join(lines).encode()
    page.get_by_label("File").set_input_files({"name": "it.csv", "mimeType": "text/csv", "buffer": content})
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("tr", has_text="plotter-old")).to_contain_text("plotter → plotter-old")
    keep(page, "import-preview")
    narrow(page)
    page.get_by_role("button", name="Import 2 items").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Imported")
    keep(page, "import-done")
    narrow(page)
    page.get_by_role("link", name="plotter", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("plotter-old")
    assert seeded.get("/api/items/?search=label-press")["count"] == 1


def narrow(page: Page) -> None:
    """Nothing of the page lies beside a telephone's screen."""
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.set_viewport_size({"width": 1280, "height": 900})


def test_references_are_told_by_name_and_what_is_made_is_a_link(db: None) -> None:  # noqa: ARG001
    ann = Client()
    ann.force_login(User.objects.create_user("ann", "correct horse battery", is_administrator=True))
    site = ann.post("/api/sites/", {"name": "the hall"}, content_type="application/json").json()["id"]
    rows = "name,site\nrack 1,the hall\nrack 2,the hall\n"
    seen = ann.post("/racks/import/", {"text": rows})
    preview = seen.content.decode()
    assert "Site: <span>the hall</span>" in preview and site not in preview
    done = ann.post("/racks/import/", {"held": seen.context["held"].pk}).content.decode()
    made = {r["name"]: r["id"] for r in ann.get("/api/racks/").json()["results"]}
    for name, key in made.items():
        assert f'href="/racks/{key}/">{name}</a>' in done
    assert len(made) == 2
