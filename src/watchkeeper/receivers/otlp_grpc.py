"""OTLP over gRPC: the three Export services, each an OTLP door's decoder behind gRPC's framing. The key is in the
metadata, as it is in the headers over HTTP; counters, limits and dead letters are those of the door `otlp`.

https://opentelemetry.io/docs/specs/otlp/#otlpgrpc
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping
from functools import partial

from watchkeeper.model.doors import IntakeKey
from watchkeeper.receivers.grpc import GrpcServer, Take
from watchkeeper.receivers.grpc_status import Unimplemented
from watchkeeper.receivers.http import HttpDoor
from watchkeeper.receivers.intake import Intake, secret
from watchkeeper.receivers.otlp import PROTOBUF, OtlpDoor
from watchkeeper.receivers.otlp_values import NAME
from watchkeeper.receivers.tls import Certificate

PROTOCOL = "h2"  # what clients of gRPC ask for by TLS


class OtlpServices:
    """What can be called: Export of metrics, logs and traces."""

    def __init__(self, doors: Iterable[OtlpDoor], intake: Intake) -> None:
        self._intake = intake
        self._doors: dict[str, HttpDoor] = {}
        for door in doors:
            (service,) = door.request.DESCRIPTOR.file.services_by_name.values()
            self._doors[f"/{service.full_name}/Export"] = door.row()

    def open(self, path: str, headers: Mapping[str, str], address: str) -> Take:
        """What takes the request of this call. Raises Unimplemented, Unauthorised, RateLimited."""
        door = self._doors.get(path)
        if door is None:
            raise Unimplemented(f"there is no method {path[:100]!r}, only {', '.join(self._doors)}")
        return partial(self._take, door, self._intake.admit(secret(headers), door, address), address)

    async def _take(
        self, door: HttpDoor, key: IntakeKey, address: str, message: bytes, encoding: str
    ) -> bytes:
        taken = await self._intake.take_in(
            door.name, door.decode, key, address, message, encoding, PROTOBUF[0]
        )
        return door.accept(taken, PROTOBUF[0]).body


def server(
    bound: socket.socket, doors: Iterable[OtlpDoor], intake: Intake, shown: Certificate | None = None
) -> GrpcServer:
    """OTLP's server on a socket that is listening already, by TLS where there is something to be shown, which has to offer
    PROTOCOL."""
    return GrpcServer(
        bound, OtlpServices(doors, intake), limits=intake.limits, allowance=intake.allowance,
        counters=intake.stats.door(NAME), shown=shown.following() if shown is not None else None,
    )  # fmt: skip
