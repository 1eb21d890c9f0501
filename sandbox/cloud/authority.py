"""The certificate authorities of the sandbox, and the certificates that its TLS servers present.

Two kinds, because the difference is one that a cluster Secret can get wrong. The public authority signs what
publicly trusted authorities sign: Google's hosts, the DNS endpoints of clusters and the mirror; processes of
the sandbox trust it as they would trust the system's. Each cluster has an authority of its own besides, whose
certificate is the cluster's `masterAuth.clusterCaCertificate`; it signs for the cluster's private address,
and nobody trusts it who was not given it.

Everything is kept in `STATE/cloud/tls`, because running processes hold the path of the public authority.
Certificates for hosts are made when a client first asks for the name. The public authority can only sign for
the names of Google's services in use and for the mirror (name constraints): whoever trusts it trusts it for
nothing else.
"""

from __future__ import annotations

import datetime
import hashlib
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sandbox.cloud.store import write_atomically

MIRROR_HOST = "mirror.fleet.internal"
DNS_DOMAIN = "gke.goog"
_PUBLIC = ("googleapis.com", DNS_DOMAIN, MIRROR_HOST)
_NAMES = ("*.googleapis.com", "connectgateway.googleapis.com", MIRROR_HOST)
_DAYS = 365


@dataclass(frozen=True)
class _Signer:
    """An authority: its certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()


class Authority:
    """The authorities below one folder; each is made on first use."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.certificate = folder / "ca.pem"
        self._public = _signer(folder / "ca-key.pem", "gke-fleet sandbox authority", _PUBLIC)
        write_atomically(self.certificate, self._public.pem, 0o644)
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._clusters: dict[str, _Signer] = {}

    def server(self) -> ssl.SSLContext:
        """A TLS context for a server of the public names.

        A client that asks for the DNS endpoint of a cluster (`gke-x.REGION.gke.goog`) gets a certificate of
        that name; every other client gets the one of Google's hosts and the mirror.
        """
        context = self._leaf(self._public, *(x509.DNSName(name) for name in _NAMES))

        def choose(
            connection: ssl.SSLSocket | ssl.SSLObject, name: str | None, _: ssl.SSLContext
        ) -> int | None:
            host = (name or "").lower()
            if host.endswith(f".{DNS_DOMAIN}"):
                if host not in self._contexts:
                    self._contexts[host] = self._leaf(self._public, x509.DNSName(host))
                connection.context = self._contexts[host]
            return None

        context.sni_callback = choose
        return context

    def cluster_certificate(self, cluster: str) -> str:
        """The certificate (PEM) of a cluster's own authority; `cluster` is the cluster's id."""
        return self._cluster(cluster).pem

    def cluster_server(self, cluster: str, address: str) -> ssl.SSLContext:
        """A TLS context for the private endpoint of a cluster (by id) at an IP address."""
        key = f"{cluster} {address}"
        if key not in self._contexts:
            name = x509.IPAddress(ipaddress.ip_address(address))
            self._contexts[key] = self._leaf(self._cluster(cluster), name)
        return self._contexts[key]

    def _cluster(self, cluster: str) -> _Signer:
        if cluster not in self._clusters:
            name = hashlib.sha256(cluster.encode()).hexdigest()[:32]
            self._clusters[cluster] = _signer(self._folder / "clusters" / f"{name}.pem", f"{name} cluster")
        return self._clusters[cluster]

    def _leaf(self, signer: _Signer, *names: x509.GeneralName) -> ssl.SSLContext:
        """A context with a fresh certificate of these names."""
        key = ec.generate_private_key(ec.SECP256R1())
        begin, end = _validity()
        leaf = (
            _builder(_name("gke-fleet sandbox"), signer.certificate.subject, key, begin, end)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(sign=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.key.public_key()), critical=False
            )
            .sign(signer.key, hashes.SHA256())
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        # The ssl module reads certificates from files only.
        chain = self._folder / "leaf.pem"
        write_atomically(chain, _private(key) + leaf.public_bytes(serialization.Encoding.PEM).decode())
        context.load_cert_chain(str(chain))
        chain.unlink()
        context.set_alpn_protocols(["http/1.1"])
        return context


def _signer(path: Path, name: str, domains: tuple[str, ...] = ()) -> _Signer:
    """The authority that is kept in a file, or a new one that may sign for these domains and what is below
    them (for everything if there are none)."""
    if path.exists():
        text = path.read_bytes()
        kept = serialization.load_pem_private_key(text, None)
        assert isinstance(kept, ec.EllipticCurvePrivateKey)
        return _Signer(x509.load_pem_x509_certificate(text), kept)
    key = ec.generate_private_key(ec.SECP256R1())
    begin, end = _validity()
    builder = (
        _builder(_name(name), _name(name), key, begin, end)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(sign=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if domains:
        permitted = [x509.DNSName(domain) for domain in domains]
        builder = builder.add_extension(
            x509.NameConstraints(permitted_subtrees=permitted, excluded_subtrees=None), critical=True
        )
    made = _Signer(builder.sign(key, hashes.SHA256()), key)
    write_atomically(path, _private(key) + made.pem)
    return made


def _private(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def _validity() -> tuple[datetime.datetime, datetime.datetime]:
    begin = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1)
    return begin, begin + datetime.timedelta(days=_DAYS)


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
