"""Systems asked over the network: stand-ins that answer over real HTTP what was captured, an AWS of moto's, and libvirt's
own test driver. What is asked becomes what the same capture becomes as a file."""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.test import override_settings

from watchkeeper.domains.inventory.asking import Access, Unreadable, askers
from watchkeeper.domains.inventory.importers import importers
from watchkeeper.domains.outgoing.outbound import NotAllowed, Unreachable

CAPTURES = Path(__file__).parent.parent / "captures" / "inventory"
LOOPBACK = [ipaddress.ip_network("127.0.0.0/8")]


@pytest.fixture(autouse=True)
def loopback_is_allowed() -> Iterator[None]:
    with override_settings(OUTBOUND_ALLOW=LOOPBACK):
        yield


@contextmanager
def answering(pages: dict[str, Any], token: str, trusted: ssl.SSLContext | None = None) -> Iterator[str]:
    """A server that answers lists page by page to whoever has the token, and 404 for others; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            asked = {k: v[0] for k, v in parse_qs(parts.query).items()}
            found = pages.get(parts.path.rstrip("/"))
            if self.headers.get("Authorization", "").split()[-1:] != [token]:
                return self.say(403, {"detail": "Invalid token"})
            if isinstance(found, str):
                self.send_response(302)
                self.send_header("Location", found)
                return self.end_headers()
            return self.say(200, found(asked, self.headers["Host"])) if found else self.say(404, {})

        def say(self, status: int, body: Any) -> None:
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if trusted:
        server.socket = trusted.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"{'https' if trusted else 'http'}://localhost:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def netbox_pages() -> dict[str, Any]:
    captured = json.loads((CAPTURES / "netbox.json").read_bytes())

    def page(name: str) -> Any:
        rows = captured[name]["results"]

        def answer(asked: dict[str, str], host: str) -> Any:
            at = int(asked.get("offset", 0))
            more = at + 2 < len(rows)  # two a page, so that there are several
            following = f"http://{host}/api/{name}/?limit=2&offset={at + 2}" if more else None
            return {"count": len(rows), "next": following, "previous": None, "results": rows[at : at + 2]}

        return answer

    return {f"/api/{name}": page(name) for name in captured}


def names(described: Any) -> list[tuple[str, str, str]]:
    return sorted((d.kind, d.source_key, json.dumps(d.attributes, sort_keys=True)) for d in described)


def test_netbox() -> None:
    with answering(netbox_pages(), "t0ken") as address:
        found = list(askers()["netbox"](Access(address, secret="t0ken")))
    assert names(found) == names(importers()["netbox"].read((CAPTURES / "netbox.json").read_bytes()))


def test_kubernetes_by_its_own_authority() -> None:
    authority, context = certificate()
    objects = json.loads((CAPTURES / "kubernetes.json").read_bytes())["items"]
    from watchkeeper.domains.inventory.asking.kubernetes import LISTS

    def page(kind: str) -> Any:
        rows = [{k: v for k, v in o.items() if k != "kind"} for o in objects if o["kind"] == kind]

        def answer(asked: dict[str, str], _: str) -> Any:
            at = int(asked.get("continue", 0))
            more = {"continue": str(at + 1)} if at + 1 < len(rows) else {}
            return {"kind": f"{kind}List", "metadata": more, "items": rows[at : at + 1]}

        return answer

    with answering({path: page(kind) for path, kind in LISTS.items()}, "sa-token", context) as address:
        found = list(askers()["kubernetes"](Access(address, secret="sa-token", certificate=authority)))
        with pytest.raises(Unreadable, match="certificate"):
            list(askers()["kubernetes"](Access(address, secret="sa-token")))
        with pytest.raises(Unreadable, match="403"):
            list(askers()["kubernetes"](Access(address, secret="other", certificate=authority)))
    assert names(found) == names(importers()["kubernetes"].read((CAPTURES / "kubernetes.json").read_bytes()))


def certificate() -> tuple[str, ssl.SSLContext]:
    """A certificate for localhost that signs itself, PEM, and a server's context with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    public = made.public_bytes(serialization.Encoding.PEM).decode()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    folder = Path(__import__("tempfile").mkdtemp())
    (folder / "both.pem").write_bytes(private + public.encode())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "both.pem")
    return public, context


@pytest.mark.parametrize("type_", ["netbox", "kubernetes"])
def test_an_inner_address_is_not_asked(type_: str) -> None:
    with answering({}, "t") as address, override_settings(OUTBOUND_ALLOW=[]), pytest.raises(NotAllowed):
        list(askers()[type_](Access(address, secret="t")))


def test_nobody_is_sent_elsewhere() -> None:
    with (
        answering({"/api/v1/nodes": "http://169.254.169.254/latest/meta-data"}, "t") as address,
        pytest.raises(Unreadable, match="elsewhere"),
    ):
        list(askers()["kubernetes"](Access(address, secret="t")))


@pytest.mark.parametrize("there", ["http://127.0.0.1:9/api/sites/", "https://localhost:{port}/api/sites/"])
def test_a_next_page_elsewhere_is_not_asked(there: str) -> None:
    """Nobody else is shown the token: not another host, and not the same one by another way."""

    def sites(_: dict[str, str], host: str) -> Any:
        following = there.format(port=host.partition(":")[2])
        return {"count": 9, "next": following, "previous": None, "results": []}

    pages = netbox_pages()
    with (
        answering(dict.fromkeys(pages, sites), "t0ken") as address,
        pytest.raises(Unreadable, match="its answer leads to"),
    ):
        list(askers()["netbox"](Access(address, secret="t0ken")))


def test_a_name_in_letters_of_its_own_is_its_own_origin() -> None:
    """As people write it: what is asked is written otherwise."""
    with (
        override_settings(OUTBOUND_ALLOW=[]),
        pytest.raises(Unreachable, match=r"xn--mnchen-3ya\.invalid cannot be resolved"),
    ):
        list(askers()["netbox"](Access("https://MÜNCHEN.invalid", secret="t")))


@pytest.mark.parametrize(
    "address", ["http://h:99999", "", "netbox", "ftp://netbox", "https://me:pw@netbox.example.org"]
)
def test_an_address_that_is_none(address: str) -> None:
    with pytest.raises(Unreadable, match="is not an address"):
        list(askers()["netbox"](Access(address, secret="t")))


@contextmanager
def running(server: Any) -> Iterator[int]:
    server.start()
    try:
        yield server.get_host_and_port()[1]
    finally:
        server.stop()


def test_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """An account of moto's, over HTTP: what boto3 made there is found."""
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")  # thousands, which nobody asks for
    server = pytest.importorskip("moto.server", reason="moto is for tests")
    boto3 = pytest.importorskip("boto3", reason="the extra [aws]")
    with running(server.ThreadedMotoServer(ip_address="127.0.0.1", port=0)) as port:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        session = boto3.Session("key", "secret", region_name="eu-central-1")
        ec2 = session.client("ec2")
        network = ec2.create_vpc(CidrBlock="10.60.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=network, CidrBlock="10.60.1.0/24")["Subnet"]["SubnetId"]
        asked = {"ImageId": "ami-0a1b2c3d", "SubnetId": subnet, "MinCount": 1, "MaxCount": 1}
        made = ec2.run_instances(**asked)["Instances"][0]["InstanceId"]
        session.client("rds").create_db_instance(
            DBInstanceIdentifier="orders", Engine="postgres", DBInstanceClass="db.t4g.micro", AllocatedStorage=20,
            MasterUsername="root", MasterUserPassword="not-a-secret",
        )  # fmt: skip
        session.client("s3").create_bucket(
            Bucket="invoices", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
        )
        found = {d.source_key: d for d in askers()["aws"](Access("eu-central-1", "key", "secret"))}
    assert found["account/123456789012"].kind == "cloud-accounts"
    instance = found[f"ec2:instance/{made}"]
    assert instance.attributes["region"] == "eu-central-1" and instance.relations[0].to == f"vpc/{network}"
    assert found[f"subnet/{subnet}"].references == {"vrf": f"vpc/{network}"}
    assert "orders" in {d.name for d in found.values() if d.kind == "databases"}
    assert found["s3:bucket/arn:aws:s3:::invoices"].references == {"account": "account/123456789012"}


def test_libvirt() -> None:
    pytest.importorskip("libvirt", reason="the extra [libvirt] is not installed")
    host, machine, *_ = askers()["libvirt"](Access("test:///default"))
    assert host.kind == "host"
    assert (machine.kind, machine.name, machine.relations[0].to) == (
        "virtual-machines",
        "test",
        host.source_key,
    )
    assert machine.attributes["memory_mib"] > 0
    for wrong in (
        "test:///default?command=/bin/sh",
        "qemu+ssh://h/system",
        "file",
        "qemu+tls://10.0.0.1/system",
    ):
        with pytest.raises((Unreadable, NotAllowed)):
            list(askers()["libvirt"](Access(wrong)))
