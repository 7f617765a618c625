"""TLS of a process: what it shows its callers, and how it knows those it calls."""

import ssl
from collections.abc import MutableMapping
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import httpx

Certificate = tuple[str, str | None]  # PEM files: it with its chain, and its key if not in there

_shown: MutableMapping[ssl.SSLContext, Certificate] = WeakKeyDictionary()


def show(context: ssl.SSLContext, certificate: str, key: str | None) -> None:
    """Have `context` show what is in these files, and after `show_anew` what is in them then.

    Raises OSError for files that can't be used.
    """
    context.load_cert_chain(certificate, key)
    _shown[context] = certificate, key


def shown() -> set[Certificate]:
    """What the contexts in use show."""
    return set(_shown.values())


def show_anew(certificate: Certificate) -> None:
    """Let new connections see what is in these files now; those that are open go on.

    Raises OSError for files that can't be used; what was shown before is shown on.
    """
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*certificate)
    for context, theirs in list(_shown.items()):
        if theirs == certificate:
            context.load_cert_chain(*certificate)


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
        show(context, self.certificate, self.key)
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
            show(context, self.certificate, self.key)
        return context
