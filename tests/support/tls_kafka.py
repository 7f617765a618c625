"""A Kafka of its own with TLS: by SCRAM, by a client's certificate, by an OAuth token (KIP-768)."""

import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from local import kafka_setup, topics
from local.folder import cache_folder
from local.kafka import Kafka
from local.kafka_setup import ADMIN, Listener
from local.ports import Ports, free_base, free_port
from tests.support.certificates import LOOPBACK

OAUTH_CLASSES = "org.apache.kafka.common.security.oauthbearer"
AUDIENCE, ISSUER = "kafka", "https://provider.example"
LISTENERS = {"scram": "SASL_SSL", "mutual": "SSL", "tokens": "SASL_SSL"}


class _TlsKafka(Kafka):
    """The demo's, with these listeners and settings beside its own; `jvm` are further arguments."""

    more: Mapping[str, object]
    jvm: tuple[str, ...]
    listeners: tuple[Listener, ...]

    def _settings(self) -> str:
        address = f"{LOOPBACK}:{self._ports.kafka}"
        return kafka_setup.properties(
            [Listener("CLIENTS", address, address), *self.listeners],
            controller_port=self._ports.kafka_controller,
            data=str(self._folder / "log"),
            passwords=self._passwords,
            more=self.more,
        )

    def _java(self, *arguments: str | Path) -> tuple[str | Path, ...]:
        java, *given = super()._java(*arguments)
        return (java, *self.jvm, *given)


@dataclass(frozen=True)
class TlsKafka:
    """Addresses by the name in LISTENERS, and what lets somebody in."""

    kafka: Kafka
    addresses: Mapping[str, str]
    key: RSAKey

    def password(self, account: str) -> str:
        """Of an account that logs in by SCRAM."""
        return self.kafka.login(account).password

    def token(self, account: str, *, lifetime: int = 300, key: RSAKey | None = None) -> str:
        """A token that says who this is."""
        now = int(time.time())
        claims = {"sub": account, "aud": AUDIENCE, "iss": ISSUER, "iat": now - 1}
        signing = key or self.key
        header = {"alg": "RS256", "kid": self.key.kid}
        return jwt.encode(header, claims | {"exp": now + lifetime}, signing)


@asynccontextmanager
async def tls_kafka(folder: Path, *, certificate: Path, clients: Path) -> AsyncIterator[TlsKafka]:
    """Shows the certificate; knows clients by theirs, as the account that is its common name."""
    key = RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256"}, auto_kid=True)
    jwks = folder / "jwks.json"
    jwks.write_text(json.dumps(KeySet([key]).as_dict(private=False)))
    logs = folder / "logs"
    logs.mkdir()
    kafka = _TlsKafka(folder / "kafka", cache=cache_folder(), ports=Ports(free_base()), logs=logs)
    addresses = {name: f"{LOOPBACK}:{free_port()}" for name in LISTENERS}
    kafka.listeners = tuple(
        Listener(name.upper(), addresses[name], addresses[name], security)
        for name, security in LISTENERS.items()
    )
    kafka.jvm = (f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={jwks.as_uri()}",)
    kafka.more = {
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": certificate,
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": clients,
        "listener.name.mutual.ssl.client.auth": "required",
        "ssl.principal.mapping.rules": r"RULE:^CN=([^,]+).*$/$1/",
        "listener.name.tokens.sasl.enabled.mechanisms": "OAUTHBEARER",
        "listener.name.tokens.oauthbearer.sasl.jaas.config": (
            f"{OAUTH_CLASSES}.OAuthBearerLoginModule required;"
        ),
        "listener.name.tokens.oauthbearer.sasl.server.callback.handler.class": (
            f"{OAUTH_CLASSES}.OAuthBearerValidatorCallbackHandler"
        ),
        "listener.name.tokens.oauthbearer.sasl.oauthbearer.jwks.endpoint.url": jwks.as_uri(),
        "listener.name.tokens.oauthbearer.sasl.oauthbearer.expected.audience": AUDIENCE,
        "listener.name.tokens.oauthbearer.sasl.oauthbearer.expected.issuer": ISSUER,
    }
    await kafka.prepare(lambda _: None)
    try:
        await kafka.start()
        await topics.create(kafka.login(ADMIN))
        yield TlsKafka(kafka, addresses, key)
    finally:
        await kafka.stop()
