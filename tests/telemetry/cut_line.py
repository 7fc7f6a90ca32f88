"""A TCP line to a server that can be cut: before a request gets through, or after it, before its answer."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable


class CutLine:
    """Forwards connections to `port`; while `lose` gives True for what a client sends, the answer to it is lost."""

    def __init__(self, port: int) -> None:
        self.lose: Callable[[bytes], bool] = lambda _: False
        self.refuse = False
        self.lost = 0
        self._target = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._open: list[socket.socket] = []
        self._threads[0].start()

    def __enter__(self) -> CutLine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Cut everything."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        self._listening.close()
        self.cut()
        for t in self._threads[1:]:
            t.join()

    def cut(self) -> None:
        """Cut what is connected."""
        for s in self._open:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            if self.refuse:
                client.close()
                continue
            server = socket.create_connection(("127.0.0.1", self._target))
            self._open += [client, server]
            t = threading.Thread(target=self._forward, args=(client, server))
            self._threads.append(t)
            t.start()

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        """Requests on, answers back, until either side ends."""
        losing = threading.Event()

        def back() -> None:
            try:
                while data := server.recv(1 << 16):
                    if losing.is_set():
                        self.lost += 1
                        break
                    client.sendall(data)
                client.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

        answers = threading.Thread(target=back)
        answers.start()
        try:
            while data := client.recv(1 << 16):
                if self.lose(data):
                    losing.set()
                server.sendall(data)
            server.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        answers.join()
        client.close()
        server.close()
