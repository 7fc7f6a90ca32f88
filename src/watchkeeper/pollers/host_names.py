"""What people call a program, from its process: postgres, redis, nats-server; the script and not the
interpreter, the product and not the virtual machine it runs on. Pure.
"""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import PurePosixPath

from watchkeeper.pollers.host_reading import Process

MAX_NAME = 64

#: programs that people call by another name than their file has
_CALLED = {
    "postmaster": "postgres", "redis-server": "redis", "valkey-server": "valkey", "mysqld": "mysql",
    "mariadbd": "mariadb", "mongod": "mongodb", "apache2": "apache", "httpd": "apache", "named": "bind",
    "systemd-resolve": "systemd-resolved", "clickhouse-serv": "clickhouse", "clickhouse-server": "clickhouse",
}  # fmt: skip
#: what runs on a virtual machine, by a word of its command line
_PRODUCTS = {
    "rabbit": "rabbitmq", "ejabberd": "ejabberd", "couchdb": "couchdb", "emqx": "emqx", "vernemq": "vernemq",
    "kafka.kafka": "kafka", "quorumpeermain": "zookeeper", "elasticsearch": "elasticsearch",
    "opensearch": "opensearch", "cassandradaemon": "cassandra", "org.apache.catalina": "tomcat",
    "logstash": "logstash", "jenkins": "jenkins", "activemq": "activemq", "keycloak": "keycloak",
    "namenode": "hdfs-namenode", "datanode": "hdfs-datanode", "neo4j": "neo4j", "solr": "solr",
}  # fmt: skip
_VIRTUAL_MACHINES = ("java", "beam.smp", "beam", "erl", "dotnet", "mono")
_INTERPRETER = re.compile(
    r"(?:(python|pypy|ruby|perl|php)[\d.]*|(node|nodejs|deno|bun|lua|Rscript|bash|dash|ash|zsh|ksh|sh))"
)
#: script names that say nothing; the folder they lie in does
_SAY_NOTHING = frozenset(
    (
        "main",
        "__main__",
        "app",
        "server",
        "index",
        "run",
        "start",
        "manage",
        "wsgi",
        "asgi",
        "service",
        "serve",
        "cli",
    )
)
_VERSION = re.compile(r"[-_]v?\d+(?:\.\d+)+.*$")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


def program(process: Process) -> str:
    """The name of the program that a process runs.

    >>> program(Process(1, 0, 0, "python3", ("/usr/bin/python3.11", "-u", "/srv/checkout/server.py")))
    'checkout'
    >>> program(Process(1, 0, 0, "postgres", ("postgres: 15/main: walwriter ",)))
    'postgres'
    """
    name = _tidy(_program(process)) or _tidy(process.name) or "unknown"
    return _CALLED.get(name, name)


def _program(process: Process) -> str:
    if not process.command:
        return process.name
    first = process.command[0]
    title = re.match(r"([\w.+-]+): ", first)
    if title:  # a process that writes its state where its command was
        return title[1]
    file = PurePosixPath(first.split(" ")[0]).name.lstrip("-")
    lower = file.lower()
    if lower in _VIRTUAL_MACHINES:
        return _on_virtual_machine(process.command) or file
    if _INTERPRETER.fullmatch(file):
        return _script(process.command[1:], python=lower.startswith(("python", "pypy"))) or file
    return file or process.name


def _on_virtual_machine(command: tuple[str, ...]) -> str:
    text = " ".join(command).lower()
    for word, product in _PRODUCTS.items():
        if word in text:
            return product
    for option, value in pairwise(command):
        if option == "-jar":
            return _VERSION.sub("", PurePosixPath(value).name.removesuffix(".jar"))
        if option in ("-sname", "-name"):
            return value.partition("@")[0]
    last = [w for w in command[1:] if w.endswith(".dll")]
    if last:
        return PurePosixPath(last[0]).name.removesuffix(".dll")
    classes = [w for w in command[1:] if re.fullmatch(r"[a-zA-Z_][\w$]*(?:\.[a-zA-Z_][\w$]*)+", w)]
    return classes[-1].rpartition(".")[2].lower() if classes else ""


def _script(arguments: tuple[str, ...], *, python: bool) -> str:
    """The script or module among an interpreter's arguments; "" when it is typed in or none is named."""
    rest = iter(arguments)
    for word in rest:
        if python and word == "-m":
            module = next(rest, "")
            last = module.rpartition(".")[2]
            return module if last in _SAY_NOTHING else last
        if word in ("-c", "-e", "--eval"):
            return ""
        if word in (("-W", "-X") if python else ("-r", "--require", "-I")):
            next(rest, None)
        elif not word.startswith("-"):
            return _from_path(PurePosixPath(word))
    return ""


def _from_path(path: PurePosixPath) -> str:
    stem = re.sub(r"\.(?:py|pyc|js|mjs|cjs|ts|rb|pl|php|sh|lua|R)$", "", path.name)
    if stem.lower() not in _SAY_NOTHING:
        return stem
    folders = [
        p for p in path.parent.parts if p not in ("/", ".", "..", "bin", "src", "dist", "build", "lib")
    ]
    return folders[-1] if folders else stem


def _tidy(name: str) -> str:
    return _UNPRINTABLE.sub("", name).strip()[:MAX_NAME].strip("./")
