"""A real OpenLDAP server with a few people in it, for as long as a test needs it."""

from __future__ import annotations

import datetime as dt
import ipaddress
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support import free_port

SLAPD = next((p for p in ("/usr/sbin/slapd", "/usr/lib/openldap/slapd") if Path(p).exists()), "")
BASE = "dc=example,dc=org"
PASSWORD = "correct horse battery"
_CONFIG = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include /etc/ldap/schema/nis.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {folder}/slapd.pid
TLSCertificateFile {folder}/server.pem
TLSCertificateKeyFile {folder}/server.key
database mdb
suffix "{base}"
rootdn "cn=admin,{base}"
rootpw admin
directory {folder}/data
access to attrs=userPassword by anonymous auth by * none
access to * by users read by * none
"""
_PEOPLE = f"""
dn: {BASE}
objectClass: dcObject
objectClass: organization
o: Example

dn: ou=people,{BASE}
objectClass: organizationalUnit

dn: ou=groups,{BASE}
objectClass: organizationalUnit

dn: uid=ann,ou=people,{BASE}
objectClass: inetOrgPerson
cn: Ann Lee
sn: Lee
mail: ann@example.org
userPassword: {PASSWORD}

dn: uid=bob,ou=people,{BASE}
objectClass: inetOrgPerson
objectClass: shadowAccount
cn: Bob Gone
sn: Gone
userPassword: {PASSWORD}
shadowExpire: 1

dn: cn=ops,ou=groups,{BASE}
objectClass: groupOfNames
member: uid=ann,ou=people,{BASE}

dn: cn=staff,ou=groups,{BASE}
objectClass: groupOfNames
member: cn=ops,ou=groups,{BASE}
"""


@dataclass(frozen=True)
class Running:
    """Where it listens, and who signed its certificate."""

    port: int
    secure: int
    certificate: str


@contextmanager
def slapd(folder: Path) -> Iterator[Running]:
    """Runs until the block ends."""
    (folder / "data").mkdir()
    certificate = _certificate(folder)
    (folder / "slapd.conf").write_text(_CONFIG.format(folder=folder, base=BASE))
    (folder / "people.ldif").write_text(_PEOPLE)
    adding = [SLAPD.replace("slapd", "slapadd") if Path(SLAPD.replace("slapd", "slapadd")).exists() else
              str(shutil.which("slapadd")), "-f", folder / "slapd.conf", "-l", folder / "people.ldif"]  # fmt: skip
    subprocess.run(adding, check=True, capture_output=True, timeout=20)
    port, secure = free_port(), free_port()
    where = f"ldap://127.0.0.1:{port}/ ldaps://127.0.0.1:{secure}/"
    command = [SLAPD, "-d", "0", "-f", folder / "slapd.conf", "-h", where]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        try:
            _wait(port, running)
            yield Running(port, secure, certificate)
        finally:
            running.terminate()
            running.wait(10)


def _wait(port: int, running: subprocess.Popen[bytes]) -> None:
    import socket

    end = time.monotonic() + 20
    while running.poll() is None and time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("slapd does not answer")


def _certificate(folder: Path) -> str:
    """Its own authority, for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem = made.public_bytes(serialization.Encoding.PEM)
    (folder / "server.pem").write_bytes(pem)
    (folder / "server.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                          serialization.NoEncryption())
    )  # fmt: skip
    return pem.decode()
