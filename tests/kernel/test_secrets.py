"""The installation's key, sealed text, and the audit trail that nobody rewrites."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchkeeper.app.installation import installation_key
from watchkeeper.kernel import audit
from watchkeeper.kernel.acting import SYSTEM
from watchkeeper.kernel.models import AuditEntry
from watchkeeper.kernel.secrets import Unreadable, seal, unseal


def test_processes_that_start_together_share_one_key(tmp_path: Path) -> None:
    """Made once, for this user's eyes."""
    code = (
        "import sys, pathlib; from watchkeeper.app.installation import installation_key as k; "
        "print(k(pathlib.Path(sys.argv[1])))"
    )

    def start(_: int) -> str:
        command = [sys.executable, "-c", code, str(tmp_path)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    with ThreadPoolExecutor(4) as pool:
        keys = set(pool.map(start, range(4)))
    assert keys == {installation_key(tmp_path)}
    assert len(keys.pop()) >= 43
    assert (tmp_path / "secret-key").stat().st_mode & 0o777 == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["secret-key"]


def test_the_environment_may_hold_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For installations of several machines; then no file is made."""
    monkeypatch.setenv("WATCHKEEPER_SECRET_KEY", "x" * 50)
    assert installation_key(tmp_path) == "x" * 50
    assert list(tmp_path.iterdir()) == []


@given(text=st.text(st.characters(blacklist_categories=("Cs",))))
def test_what_is_sealed_is_read_with_the_same_key_alone(text: str) -> None:
    """Never twice the same, and never with another key."""
    sealed = seal(text, "key one")
    assert unseal(sealed, "key one") == text
    assert seal(text, "key one") != sealed
    with pytest.raises(Unreadable):
        unseal(sealed, "key two")


@pytest.mark.django_db
def test_an_entry_of_the_audit_trail_stays() -> None:
    """It is neither changed nor removed through the records."""
    audit.record(SYSTEM, "test", before={"a": 1, "b": 2}, after={"a": 1, "b": 3})
    entry = AuditEntry.objects.get()
    assert (entry.before, entry.after) == ({"b": 2}, {"b": 3})
    entry.actor = "somebody else"
    with pytest.raises(TypeError):
        entry.save()
    with pytest.raises(TypeError):
        entry.delete()
