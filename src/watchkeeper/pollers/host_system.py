"""Reads the machine itself through psutil: what it is, its disks, file systems, interfaces and gauges. What
cannot be read is left out.
"""

from __future__ import annotations

import os
import platform
import socket
import time
from collections.abc import Iterable
from pathlib import Path

import psutil

from watchkeeper.model.hostnames import address
from watchkeeper.pollers.host_reading import Disk, FileSystem, Gauges, Host, Interface

_MS = 1000
_SECTOR = 512  # /sys/class/block/*/size counts in these, whatever the disk's own are
#: block devices that are no disks: in memory, looped files, and what lies on other block devices
_NO_DISK = ("loop", "ram", "zram", "dm-", "md", "sr", "fd", "nbd")
#: interfaces that others make and unmake: containers, bridges of virtual machines
_PASSING = (
    "veth", "docker", "br-", "virbr", "vnet", "tap", "cni", "flannel", "cali", "lxc", "lxd", "kube-", "ifb",
)  # fmt: skip
_MACHINE_IDS = ("/etc/machine-id", "/var/lib/dbus/machine-id")


def read_host() -> Host:
    """The machine: names, addresses, system, processors, memory."""
    hostname = socket.gethostname().strip().lower().rstrip(".")
    return Host(
        hostname=hostname,
        fqdn=_fqdn(hostname),
        machine_id=_machine_id(),
        addresses=tuple(sorted({a for i in read_interfaces() for a in i.addresses})),
        os=_os_name(),
        kernel=platform.release(),
        architecture=platform.machine(),
        cpu_model=_cpu_model(),
        cpus=psutil.cpu_count() or 0,
        memory_bytes=psutil.virtual_memory().total,
        booted_ms=int(psutil.boot_time() * _MS),
    )


def read_disks(block: Path = Path("/sys/class/block")) -> tuple[Disk, ...]:
    """Whole disks, by name. Only Linux tells."""
    found = []
    for folder in sorted(block.glob("*")):
        if folder.name.startswith(_NO_DISK) or (folder / "partition").exists():
            continue
        size = _word(folder / "size")
        if size.isdigit() and int(size):
            model = _word(folder / "device" / "model")
            found.append(Disk(folder.name, int(size) * _SECTOR, model))
    return tuple(found)


def read_file_systems(
    disks: Iterable[Disk], block: Path = Path("/sys/class/block")
) -> tuple[FileSystem, ...]:
    """Mounted file systems with storage behind them, each device at its shortest mountpoint; and the root."""
    names = {d.name for d in disks}
    shortest: dict[str, FileSystem] = {}
    parts = [(p.device, p.mountpoint, p.fstype) for p in psutil.disk_partitions(all=False)]
    if not any(mount == "/" for _, mount, _ in parts):
        parts += [(p.device, "/", p.fstype) for p in psutil.disk_partitions(all=True) if p.mountpoint == "/"]
    for device, mount, kind in parts:
        if kind in ("squashfs", "iso9660") or device.startswith("/dev/loop") or not Path(mount).is_dir():
            continue
        known = shortest.get(device)
        if known is None or len(mount) < len(known.mountpoint):
            shortest[device] = FileSystem(device, mount, kind, _disk_of(device, names, block))
    return tuple(sorted(shortest.values(), key=lambda f: f.mountpoint))


def read_interfaces() -> tuple[Interface, ...]:
    """Interfaces but loopback and those that containers and virtual machines come and go with."""
    found = []
    states = psutil.net_if_stats()
    for name, assigned in sorted(psutil.net_if_addrs().items()):
        state = states.get(name)
        if name.startswith(("lo", *_PASSING)) or state is None:
            continue
        mac = next((a.address.lower() for a in assigned if a.family == psutil.AF_LINK), "")
        inet = (
            a.address.partition("%")[0] for a in assigned if a.family in (socket.AF_INET, socket.AF_INET6)
        )
        own = tuple(sorted(filter(None, map(address, inet))))
        found.append(Interface(name, mac, own, max(0, state.speed), state.isup))
    return tuple(found)


def read_gauges(
    file_systems: Iterable[FileSystem], disks: Iterable[Disk], interfaces: Iterable[Interface],
    processes: dict[str, int], now_ms: int,
) -> Gauges:  # fmt: skip
    """The numbers of the machine; `processes` counts them by status."""
    memory, swap = psutil.virtual_memory(), psutil.swap_memory()
    states = {
        name: getattr(memory, name) for name in ("used", "free", "cached", "buffers") if hasattr(memory, name)
    }
    io = psutil.disk_io_counters(perdisk=True) or {}
    net = psutil.net_io_counters(pernic=True)
    return Gauges(
        time_ms=now_ms,
        cpu_seconds=_cpu_seconds(),
        load=_load(),
        memory_bytes=states,
        memory_limit=memory.total,
        memory_available=memory.available,
        paging_bytes={"used": swap.used, "free": swap.free} if swap.total else {},
        file_systems=_usage(file_systems),
        disks={d.name: _disk_numbers(io[d.name]) for d in disks if d.name in io},
        interfaces={i.name: net[i.name]._asdict() for i in interfaces if i.name in net},
        processes=processes,
        uptime_seconds=time.time() - psutil.boot_time(),
    )


def _disk_numbers(counted: object) -> dict[str, float]:
    numbers: dict[str, float] = {
        name: getattr(counted, name, 0) for name in ("read_bytes", "write_bytes", "read_count", "write_count")
    }
    if hasattr(counted, "busy_time"):
        numbers["busy_seconds"] = counted.busy_time / _MS
    return numbers


def _usage(file_systems: Iterable[FileSystem]) -> dict[str, tuple[int, int, int]]:
    found = {}
    for f in file_systems:
        try:
            s = os.statvfs(f.mountpoint)
        except OSError:
            continue  # unmounted meanwhile, or not for us
        used, free = (s.f_blocks - s.f_bfree) * s.f_frsize, s.f_bavail * s.f_frsize
        if s.f_blocks:
            found[f.mountpoint] = (used, free, (s.f_bfree - s.f_bavail) * s.f_frsize)
    return found


def _cpu_seconds() -> dict[str, float]:
    """By OpenTelemetry's cpu.mode; what Linux counts twice (guests are within user) once."""
    times = psutil.cpu_times()
    modes = {name: getattr(times, name) for name in ("user", "nice", "system", "idle", "iowait", "steal")
             if hasattr(times, name)}  # fmt: skip
    interrupts = getattr(times, "irq", 0.0) + getattr(times, "softirq", 0.0)
    return {**modes, "interrupt": interrupts}


def _load() -> tuple[float, ...]:
    try:
        return psutil.getloadavg()
    except (OSError, AttributeError):
        return ()


def _disk_of(device: str, disks: set[str], block: Path) -> str:
    """The disk under a device: itself, the one it is a partition of, or, under a volume, the only one."""
    name = Path(os.path.realpath(device)).name
    for _ in range(8):  # volumes on volumes
        if name in disks:
            return name
        folder = block / name
        below = [p.name for p in (folder / "slaves").glob("*")]
        if len(below) == 1:
            name = below[0]
        elif (folder / "partition").exists():
            name = Path(os.path.realpath(folder)).parent.name
        else:
            return ""
    return ""


def _fqdn(hostname: str) -> str:
    """The name with its domain, if the system has one for it without asking the network."""
    if "." in hostname:
        return hostname
    try:
        lines = Path("/etc/hosts").read_text(errors="replace").splitlines()
    except OSError:
        return ""
    for line in lines:
        names = [n.lower().rstrip(".") for n in line.partition("#")[0].split()[1:]]
        if hostname in names:
            full = next((n for n in names if n.startswith(hostname + ".")), "")
            if full and not full.endswith((".localdomain", ".local")):
                return full
    return ""


def _machine_id() -> str:
    for path in _MACHINE_IDS:
        found = _word(Path(path)).lower()
        if len(found) == 32:  # systemd writes "uninitialized" into images
            return found
    return ""


def _os_name() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    except OSError:
        return f"{platform.system()} {platform.release()}".strip()


def _cpu_model() -> str:
    try:
        with Path("/proc/cpuinfo").open(errors="replace") as lines:
            model = next((line for line in lines if line.startswith("model name")), "")
    except OSError:
        return platform.processor()
    return model.partition(":")[2].strip() or platform.processor()


def _word(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""
