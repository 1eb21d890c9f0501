"""The certificate authority of the sandbox, and the one certificate that its TLS front presents.

Made once per sandbox and kept in `STATE/cloud/tls`, because running processes hold the authority's path. The
names are those of Google's hosts in use and of the mirror; nothing trusts this authority but what
`environment` starts.
"""

from __future__ import annotations

import datetime
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sandbox.cloud.store import write_atomically

MIRROR_HOST = "mirror.fleet.internal"
NAMES = ("*.googleapis.com", "connectgateway.googleapis.com", "*.gke.goog", MIRROR_HOST)
_DAYS = 365


class Authority:
    """The authority's files below one folder; made on first use."""

    def __init__(self, folder: Path) -> None:
        self.certificate = folder / "ca.pem"
        self._chain = folder / "front.pem"
        if not (self.certificate.exists() and self._chain.exists()):
            self._make()

    def server(self) -> ssl.SSLContext:
        """A TLS context for a server that carries all the names."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(str(self._chain))
        context.set_alpn_protocols(["http/1.1"])
        return context

    def _make(self) -> None:
        begin = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1)
        end = begin + datetime.timedelta(days=_DAYS)
        ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        issuer = _name("gke-fleet sandbox authority")
        ca = (
            _builder(issuer, issuer, ca_key, begin, end)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(sign=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()), critical=False)
            .sign(ca_key, hashes.SHA256())
        )
        leaf = (
            _builder(_name("gke-fleet sandbox"), issuer, key, begin, end)
            .add_extension(
                x509.SubjectAlternativeName([x509.DNSName(name) for name in NAMES]), critical=False
            )
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(sign=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False
            )
            .sign(ca_key, hashes.SHA256())
        )
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        # The authority's own key is dropped: nothing else can ever be signed by it.
        write_atomically(self._chain, (private + leaf.public_bytes(serialization.Encoding.PEM)).decode())
        write_atomically(self.certificate, ca.public_bytes(serialization.Encoding.PEM).decode(), 0o644)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    begin: datetime.datetime,
    end: datetime.datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
    )


def _usage(*, sign: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=sign,
        crl_sign=sign,
        encipher_only=False,
        decipher_only=False,
    )
