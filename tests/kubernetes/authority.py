"""A certificate authority, as an installation's own: for PostgreSQL, Kafka, mail, the services.

With what RFC 5280 asks of it, as Python does since 3.13 (VERIFY_X509_STRICT).
"""

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

LIFETIME = timedelta(days=2)
_SIGNS_CERTIFICATES = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


class Authority:
    """Makes certificates for names; whoever trusts `pem` trusts them."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("einladung test")
        public = self._key.public_key()
        self._named = x509.AuthorityKeyIdentifier.from_issuer_public_key(public)
        built = (
            _builder(self._name, self._name, self._key)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
            .add_extension(_SIGNS_CERTIFICATES, True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), False)
        )
        self.pem = _pem(built.sign(self._key, hashes.SHA256()))

    def certificate(self, *names: str) -> dict[str, str]:
        """What a Secret of a server has, as cert-manager makes it."""
        key = ec.generate_private_key(ec.SECP256R1())
        alternative = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        built = (
            _builder(_name(names[0]), self._name, key)
            .add_extension(alternative, False)
            .add_extension(self._named, False)
        )
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return {
            "tls.crt": _pem(built.sign(self._key, hashes.SHA256())),
            "tls.key": private.decode(),
            "ca.crt": self.pem,
        }


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + LIFETIME)
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
