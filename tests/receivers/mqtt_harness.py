"""A Mosquitto of the test's own, and an MqttSubscriber made of real parts that listens to it."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.support import eventually, free_port, require, rows_of
from watchkeeper.journal.group import GroupCommit
from watchkeeper.journal.sqlite import SqliteJournal
from watchkeeper.model.declared import MqttSubscription
from watchkeeper.model.signals import Stream
from watchkeeper.receivers.dead_letters import DeadLetters
from watchkeeper.receivers.door_stats import DoorStats
from watchkeeper.receivers.mqtt_subscriber import MqttSubscriber
from watchkeeper.receivers.series import SeriesTable


class Broker:
    """Mosquitto on a free port; what it keeps survives `stop` and `start`."""

    def __init__(self, folder: Path, *lines: str) -> None:
        self._program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        require(
            Path(self._program).exists() and shutil.which("mosquitto_pub"),
            "Debian's mosquitto is not installed",
        )
        folder.mkdir(exist_ok=True)
        self.port = free_port()
        self._config = folder / "mosquitto.conf"
        self._config.write_text("\n".join([
            f"listener {self.port} 127.0.0.1", "persistence true", f"persistence_location {folder}/",
            "allow_anonymous true", "max_queued_messages 100000", f"log_dest file {folder}/mosquitto.log",
            *lines, "",
        ]))  # fmt: skip
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen([self._program, "-c", str(self._config)], stderr=subprocess.DEVNULL)
        eventually(self._answers)

    def _answers(self) -> bool:
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)

    def publish(self, topic: str, *messages: str, words: Sequence[str] = ()) -> None:
        """At QoS 1, each acknowledged by the broker."""
        where = ["mosquitto_pub", "-h", "127.0.0.1", "-p", str(self.port), "-q", "1", "-t", topic, *words]
        subprocess.run(
            [*where, "-l"], input="".join(f"{m}\n" for m in messages), text=True, check=True, timeout=30
        )


class Cable:
    """Between a client and the broker; it can be cut."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._ends: list[socket.socket] = []
        self.connections = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                one, _ = self._listener.accept()
            except OSError:
                return
            try:
                other = socket.create_connection(("127.0.0.1", self._to))
            except OSError:
                one.close()
                continue
            self.connections += 1
            self._ends += [one, other]
            for a, b in ((one, other), (other, one)):
                threading.Thread(target=self._carry, args=(a, b), daemon=True).start()

    @staticmethod
    def _carry(source: socket.socket, to: socket.socket) -> None:
        try:
            while piece := source.recv(4096):
                to.sendall(piece)
        except OSError:
            pass
        _shut(source, to)

    def cut(self) -> None:
        ends, self._ends = self._ends, []
        _shut(*ends)

    def close(self) -> None:
        self.cut()
        _shut(self._listener)


def _shut(*ends: socket.socket) -> None:
    for end in ends:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)  # closing alone tells nobody while a thread reads
        end.close()


class Running:
    """Subscriptions as they are declared now, and the rows that came of them."""

    def __init__(
        self, folder: Path, *subscriptions: MqttSubscription, max_bytes: int = 2 * 1024**3,
        check: Callable[[str, int], Sequence[str]] = lambda host, _: [host],
    ) -> None:  # fmt: skip
        folder.mkdir(exist_ok=True)
        self.subscriptions = subscriptions
        self.journal = SqliteJournal(folder / "journal.db", max_bytes=max_bytes)
        self.group, self.stats = GroupCommit(self.journal), DoorStats()
        self.subscriber = MqttSubscriber(
            self, group=self.group, series=SeriesTable(), stats=self.stats, letters=DeadLetters(), check=check
        )
        self._ended = self._closed = False
        asyncio.run(self.subscriber.start())

    def mqtt_subscriptions(self) -> tuple[MqttSubscription, ...]:
        return self.subscriptions

    def connected(self) -> None:
        """Returns when every subscription has its topics."""
        eventually(lambda: self.stats.stats().get("mqtt") and not self.troubles)

    @property
    def troubles(self) -> dict[str, str]:
        return dict(self.stats.door("mqtt").troubles)

    @property
    def counted(self) -> dict[str, Any]:
        return self.stats.door("mqtt").as_dict()

    def stop(self) -> None:
        """Stop listening; the journal stays to be read."""
        if not self._ended:
            self._ended = True
            asyncio.run(self.subscriber.stop())

    def close(self) -> None:
        self.stop()
        if not self._closed:
            self._closed = True
            self.group.close()
            self.journal.close()

    def rows(self, stream: Stream = Stream.SAMPLES) -> list[dict[str, Any]]:
        """Every row of a stream that is in the journal."""
        return rows_of(self.journal, stream)

    def values(self) -> list[float]:
        return [row["value"] for row in self.rows()]
