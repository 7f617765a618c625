"""TLS of a process: what it shows its callers, and how it knows those it calls."""

import ssl
from dataclasses import dataclass

import httpx


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files. `key` is where the certificate's key is, if not beside it."""

    certificate: str | None = None
    key: str | None = None
    callers_ca: str | None = None
    peers_ca: str | None = None

    def for_callers(self, *, known_only: bool) -> ssl.SSLContext | None:
        """The server's side, if it has a certificate; `known_only` asks callers for one of theirs.

        Raises OSError (ssl.SSLError is one) for files that can't be used.
        """
        if self.certificate is None:
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        context.load_cert_chain(self.certificate, self.key)
        if known_only and self.callers_ca is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.callers_ca)
        return context

    def for_peers(self) -> ssl.SSLContext:
        """The client's side: the peers' authorities are added to those that httpx knows.

        Raises OSError for files that can't be used.
        """
        context = httpx.create_ssl_context()
        if self.peers_ca is not None:
            context.load_verify_locations(self.peers_ca)
        if self.certificate is not None:
            context.load_cert_chain(self.certificate, self.key)
        return context
