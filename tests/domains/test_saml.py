"""Signing in by SAML, with a real identity provider (pysaml2) that reads our requests and signs its answers."""

from __future__ import annotations

import base64
import datetime as dt
import re
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from django.test import Client

from tests.support import require
from watchkeeper.domains.federation.models import SamlProvider
from watchkeeper.domains.identity.models import Session, User

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore")]
HERE = {"host": "localhost"}
ENTITY = "https://idp.example.org/metadata"
ANN = {"uid": ["ann"], "displayName": ["Ann Lee"], "mail": ["ann@example.org"]}


_ALGORITHMS = {
    "sha256": {"sign_alg": "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
               "digest_alg": "http://www.w3.org/2001/04/xmlenc#sha256"},
    "sha1": {"sign_alg": "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
             "digest_alg": "http://www.w3.org/2000/09/xmldsig#sha1"},
}  # fmt: skip


class Idp:
    """pysaml2's server, with a key of its own."""

    def __init__(self, folder: Path) -> None:
        require(shutil.which("xmlsec1"), "no xmlsec1, with which pysaml2 signs")
        self._key, self._folder = rsa.generate_private_key(65537, 2048), folder
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "idp")])
        now = dt.datetime.now(dt.UTC)
        made = (
            x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(self._key.public_key())
            .serial_number(1).not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=2)).sign(self._key, hashes.SHA256())
        )  # fmt: skip
        self.certificate = made.public_bytes(serialization.Encoding.PEM).decode()
        (folder / "idp.pem").write_text(self.certificate)
        pem = self._key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
        (folder / "idp.key").write_bytes(pem)

    def answer(self, out: str, metadata: str, sha: str = "sha256") -> str:
        """The signed SAMLResponse to the request of this address."""
        from saml2 import BINDING_HTTP_REDIRECT
        from saml2.config import IdPConfig
        from saml2.server import Server

        config = IdPConfig().load({
            "entityid": ENTITY, "key_file": str(self._folder / "idp.key"), "cert_file": str(self._folder / "idp.pem"),
            "xmlsec_binary": shutil.which("xmlsec1"), "metadata": {"inline": [metadata]},
            "service": {"idp": {"endpoints": {"single_sign_on_service":
                                              [("https://idp.example.org/sso", BINDING_HTTP_REDIRECT)]},
                                "policy": {"default": {"lifetime": {"minutes": 5}, "name_form":
                                           "urn:oasis:names:tc:SAML:2.0:attrname-format:basic"}}}},
        })  # fmt: skip
        server = Server(config=config)
        asked = parse_qs(urlsplit(out).query)["SAMLRequest"][0]
        request = server.parse_authn_request(asked, BINDING_HTTP_REDIRECT)
        given = server.response_args(request.message)
        made = server.create_authn_response(
            identity=ANN, userid="ann-at-idp", sign_assertion=True, sign_response=True, **_ALGORITHMS[sha],
            authn={"class_ref": "urn:oasis:names:tc:SAML:2.0:ac:classes:Password", "authn_auth": ENTITY}, **given,
        )  # fmt: skip
        return base64.b64encode(str(made).encode()).decode()


@pytest.fixture(scope="module")
def idp(tmp_path_factory: pytest.TempPathFactory) -> Idp:
    return Idp(tmp_path_factory.mktemp("idp"))


def provider(idp: Idp, **more: Any) -> SamlProvider:
    certificate = re.sub(r"-----.*?-----|\s", "", idp.certificate)
    given = {
        "create_accounts": True,
        "username_claim": "uid",
        "name_claim": "displayName",
        "email_claim": "mail",
        **more,
    }
    return SamlProvider.objects.create(slug="idp", name="Campus", protocol="saml", entity_id=ENTITY,
                                       sso_url="https://idp.example.org/sso", certificate=certificate, **given)  # fmt: skip


def begin(browser: Client, idp: Idp, sha: str = "sha256") -> str:
    out = browser.get("/sign-in/saml/idp/?next=/items/")
    assert out.status_code == 302, out.content
    metadata = browser.get("/sign-in/saml/idp/metadata/").content.decode()
    return idp.answer(out.headers["Location"], metadata, sha)


def come_back(browser: Client, response: str) -> Any:
    """The POST comes from another site, so without our session's cookie; the redirect after it has it."""
    posted = browser.post("/sign-in/saml/idp/acs/", {"SAMLResponse": response, "RelayState": ""})
    return browser.get(posted.headers["Location"]) if posted.status_code == 302 else posted


def test_a_signed_answer_signs_in_once(idp: Idp) -> None:
    provider(idp)
    browser = Client(headers=HERE)
    response = begin(browser, idp)
    answer = come_back(browser, response)
    assert (answer.status_code, answer.headers.get("Location")) == (302, "/items/"), answer.content.decode()
    ann = User.objects.get(username="ann")
    assert (ann.name, ann.email) == ("Ann Lee", "ann@example.org")
    assert Session.objects.get(user=ann).how == "idp"
    for who in (browser, Client(headers=HERE)):  # the same answer again, here and in another browser
        who.logout()
        assert come_back(who, response).status_code in (401, 403)
    assert not Session.objects.filter(user=ann).exists()


def test_an_answer_that_was_changed_or_that_nobody_asked_for_is_refused(idp: Idp) -> None:
    provider(idp)
    browser = Client(headers=HERE)
    text = base64.b64decode(begin(browser, idp)).decode()
    unsigned = re.sub(r"<(ns\d+:)?Signature .*?</(ns\d+:)?Signature>", "", text, flags=re.S)
    assert unsigned != text
    for bad in (text.replace("ann@example.org", "eve@example.org"), text.replace(">ann<", ">root<"), unsigned,
                re.sub(r'InResponseTo="[^"]*"', "", unsigned), "<x/>", "no xml", ""):  # fmt: skip
        assert come_back(browser, base64.b64encode(bad.encode()).decode()).status_code in (401, 403, 502), (
            bad[:80]
        )
    assert come_back(browser, "%%%").status_code in (401, 403, 502)
    assert not User.objects.exists()


def test_bombs_and_entities_are_not_expanded(idp: Idp) -> None:
    provider(idp)
    browser = Client(headers=HERE)
    begin(browser, idp)
    lol = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    bomb = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "lol">{lol}]><x>&l11;</x>'
    file = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><x>&f;</x>'
    for bad in (bomb, file):
        answer = come_back(browser, base64.b64encode(bad.encode()).decode())
        assert answer.status_code in (401, 403, 502)
        assert "root:" not in answer.content.decode()
    assert come_back(browser, "A" * 300_000).status_code == 413


def test_a_key_of_somebody_else_is_not_believed(idp: Idp, tmp_path: Path) -> None:
    provider(idp)
    browser = Client(headers=HERE)
    assert come_back(browser, begin(browser, Idp(tmp_path))).status_code == 401
    assert come_back(browser, begin(browser, idp, "sha1")).status_code == 401  # nor one that can be forged
    assert come_back(browser, begin(browser, idp)).status_code == 302


def test_metadata_fills_the_provider(idp: Idp, api: Any) -> None:
    certificate = re.sub(r"-----.*?-----|\s", "", idp.certificate)
    metadata = (
        f'<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{ENTITY}">'
        '<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">'
        '<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data>'
        f"<ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
        '<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" '
        'Location="https://idp.example.org/sso"/></md:IDPSSODescriptor></md:EntityDescriptor>'
    )
    root, body = api(), {"slug": "campus", "name": "Campus", "metadata": metadata}
    made = root.post("/api/saml-providers/", body, content_type="application/json")
    assert made.status_code == 201, made.content
    assert (made.json()["entity_id"], made.json()["sso_url"]) == (ENTITY, "https://idp.example.org/sso")
    bomb = '<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'
    for bad in ("<x/>", "no xml", bomb, metadata.replace(certificate, "AAAA")):
        body = {"slug": "other", "name": "Other", "metadata": bad}
        assert root.post("/api/saml-providers/", body, content_type="application/json").status_code == 400, (
            bad[:60]
        )
