"""What is read from a machine, as plain data: the facts, the processes, the sockets, the gauges. A reading
can be kept in a file, so that what is derived from it is tested with recorded machines.
"""

from __future__ import annotations

import msgspec


class Host(msgspec.Struct, frozen=True):
    """The machine itself. `addresses` are those others may reach it under, in their one form."""

    hostname: str
    fqdn: str = ""  # "" when it is not known or the same as the hostname
    machine_id: str = ""
    addresses: tuple[str, ...] = ()
    os: str = ""
    kernel: str = ""
    architecture: str = ""
    cpu_model: str = ""
    cpus: int = 0
    memory_bytes: int = 0
    booted_ms: int = 0


class Disk(msgspec.Struct, frozen=True):
    """A block device that is a whole disk."""

    name: str
    size_bytes: int = 0
    model: str = ""


class FileSystem(msgspec.Struct, frozen=True):
    """A mounted file system with storage behind it; `disk` is the Disk's name, "" when there is none here."""

    device: str
    mountpoint: str
    kind: str
    disk: str = ""


class Interface(msgspec.Struct, frozen=True):
    """A network interface that is not loopback."""

    name: str
    mac: str = ""
    addresses: tuple[str, ...] = ()
    speed_mbit: int = 0  # 0: unknown
    up: bool = True


class Process(msgspec.Struct):
    """A process, and what it has used so far. Kernel threads have no command."""

    pid: int
    parent: int
    started_ms: int
    name: str
    command: tuple[str, ...] = ()
    user: str = ""
    unit: str = ""  # systemd service unit
    status: str = "sleeping"  # running sleeping stopped defunct
    cpu_seconds: float = 0.0
    memory_bytes: int = 0
    threads: int = 0


class Listener(msgspec.Struct, frozen=True):
    """A socket that waits for peers: listening TCP, or bound UDP. `pids` hold it; () when we may not know."""

    protocol: str  # tcp, udp
    address: str
    port: int
    pids: tuple[int, ...] = ()


class Connection(msgspec.Struct, frozen=True):
    """An established TCP connection as one end of it, on this machine, sees it. pid 0: we may not know."""

    address: str
    port: int
    remote: str
    remote_port: int
    pid: int = 0


class Sockets(msgspec.Struct, frozen=True):
    """Every socket that matters. `unix`: pairs (client pid, server pid) joined by a socket with a path."""

    listeners: tuple[Listener, ...] = ()
    connections: tuple[Connection, ...] = ()
    unix: tuple[tuple[int, int], ...] = ()


class Machine(msgspec.Struct, frozen=True):
    """One look at the whole machine: what its items and their relations are made from."""

    time_ms: int
    host: Host
    disks: tuple[Disk, ...]
    file_systems: tuple[FileSystem, ...]
    interfaces: tuple[Interface, ...]
    processes: dict[int, Process]
    sockets: Sockets


class Gauges(msgspec.Struct, frozen=True):
    """One look at the numbers of the machine. Counters count since it started; bytes, seconds, 1."""

    time_ms: int
    cpu_seconds: dict[str, float] = {}  # by mode, over all CPUs
    load: tuple[float, ...] = ()  # over 1, 5 and 15 minutes
    memory_bytes: dict[str, int] = {}  # by state
    memory_limit: int = 0
    memory_available: int = 0
    paging_bytes: dict[str, int] = {}  # by state
    file_systems: dict[str, tuple[int, int, int]] = {}  # by mountpoint: used, free to all, reserved
    disks: dict[str, dict[str, float]] = {}  # by name: read/write bytes, operations, busy seconds
    interfaces: dict[str, dict[str, int]] = {}  # by name: as psutil's snetio
    processes: dict[str, int] = {}  # by status
    uptime_seconds: float = 0.0
