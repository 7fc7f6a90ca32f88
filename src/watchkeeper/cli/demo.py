"""`watchkeeper demo`: the outage that comes with the program, recorded from real services with a real fault."""

from __future__ import annotations

from importlib.resources import as_file, files

from watchkeeper.cli.replay import Json, Speed, replay

RECORDING = "outage.wkrec"


def demo(speed: Speed = 10.0, as_json: Json = False) -> None:
    """Replay a recorded outage into the running platform and watch it become an explained situation."""
    with as_file(files("watchkeeper.cli") / RECORDING) as path:
        replay(path, speed=speed, as_json=as_json)
