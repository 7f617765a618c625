"""Kafka: the one place that makes every client, logged in as the settings say.

By SCRAM (RFC 5802), by OAuth 2.0 client credentials (RFC 7628, KIP-768) or by a client certificate.
What is plain is for one machine: production refuses it (chassis/settings.py).
"""

import asyncio
import ssl
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self

import httpx
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.abc import AbstractTokenProvider
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.errors import AuthenticationFailedError, KafkaConnectionError
from faststream.kafka import KafkaBroker
from faststream.security import BaseSecurity, SASLOAuthBearer, SASLScram512

from chassis.kafka_settings import UNENCRYPTED, KafkaSettings, Mechanism, Security

TOKEN_TIMEOUT = 10.0  # seconds for the token endpoint's whole answer
TOKEN_MARGIN = 30.0  # seconds before its end at which a token is replaced
STOP_TIMEOUT = 5.0  # seconds for a producer to hand over what it still holds

_send = AIOKafkaConnection.send


def _send_if_open(self: Any, request: Any, expect_response: bool = True) -> Any:
    """As aiokafka does it, which knows nothing of what uvloop raises (aiokafka#1038).

    Writing to a connection that the broker has just closed would end the client's own tasks for
    good: its fetching, its membership of the group, its sending.
    """
    try:
        return _send(self, request, expect_response)
    except RuntimeError as closed:
        self.close(reason=CloseReason.CONNECTION_BROKEN)
        raise KafkaConnectionError("the broker has closed the connection") from closed


AIOKafkaConnection.send = _send_if_open


@dataclass(frozen=True)
class Cluster:
    """Where Kafka is and as whom we come. Makes every client, for the running event loop."""

    bootstrap: str
    security: Security = "plaintext"
    mechanism: Mechanism = "SCRAM-SHA-512"
    username: str = ""
    password: str = field(default="", repr=False)
    tls: ssl.SSLContext | None = None
    tokens: AbstractTokenProvider | None = None

    @classmethod
    def of(cls, settings: KafkaSettings) -> Self:
        """Kafka as the settings say. Raises OSError for files that are gone meanwhile."""
        tokens = ClientCredentials(
            settings.kafka_token_url,
            client_id=settings.kafka_client_id,
            client_secret=settings.kafka_client_secret.get_secret_value(),
            scope=settings.kafka_scope,
        )
        return cls(
            bootstrap=settings.kafka_bootstrap,
            security=settings.kafka_security,
            mechanism=settings.kafka_mechanism,
            username=settings.kafka_username,
            password=settings.kafka_password.get_secret_value(),
            tls=settings.kafka_tls(),
            tokens=tokens if settings.kafka_mechanism == "OAUTHBEARER" else None,
        )

    @property
    def arguments(self) -> dict[str, Any]:
        """What each client of aiokafka is given."""
        found: dict[str, Any] = {
            "bootstrap_servers": self.bootstrap,
            "security_protocol": self.security.upper(),
            "ssl_context": self.tls,
        }
        if self.security.startswith("sasl"):
            found |= {"sasl_mechanism": self.mechanism, "sasl_oauth_token_provider": self.tokens}
            if self.mechanism == "SCRAM-SHA-512":
                found |= {
                    "sasl_plain_username": self.username,
                    "sasl_plain_password": self.password,
                }
        return found

    def producer(self, **options: Any) -> AIOKafkaProducer:
        """One that loses and repeats nothing; `options` are aiokafka's."""
        return AIOKafkaProducer(
            **self.arguments, **{"acks": "all", "enable_idempotence": True} | options
        )

    def consumer(self, *topics: str, **options: Any) -> AIOKafkaConsumer:
        """A consumer of aiokafka's own, with its `options`."""
        return AIOKafkaConsumer(*topics, **self.arguments, **options)

    def admin(self, **options: Any) -> AIOKafkaAdminClient:
        """A client that asks about the cluster and changes it."""
        return AIOKafkaAdminClient(**self.arguments, **options)

    def broker(self, **options: Any) -> KafkaBroker:
        """FastStream's side of it, with its `options`."""
        return KafkaBroker(
            self.bootstrap,
            security=self._faststream_security(),
            sasl_oauth_token_provider=self.tokens,
            **options,
        )

    def _faststream_security(self) -> BaseSecurity:
        encrypted = self.security not in UNENCRYPTED
        if not self.security.startswith("sasl"):
            return BaseSecurity(ssl_context=self.tls, use_ssl=encrypted)
        if self.mechanism == "OAUTHBEARER":
            return SASLOAuthBearer(ssl_context=self.tls, use_ssl=encrypted)
        return SASLScram512(self.username, self.password, ssl_context=self.tls, use_ssl=encrypted)


class LastingProducer:
    """A producer that is kept from one use to the next, and made anew once it was dropped."""

    def __init__(self, cluster: Cluster, **options: Any) -> None:
        self._cluster = cluster
        self._options = options
        self._producer: AIOKafkaProducer | None = None

    async def get(self) -> AIOKafkaProducer:
        """The producer, started. Raises KafkaError."""
        if self._producer is None:
            producer = self._cluster.producer(**self._options)
            self._producer = producer
            await producer.start()
        return self._producer

    async def drop(self) -> None:
        """After an error: an idempotent producer stops for good on some (aiokafka#1017)."""
        producer, self._producer = self._producer, None
        if producer is not None:
            with suppress(Exception):
                async with asyncio.timeout(STOP_TIMEOUT):
                    await producer.stop()


class ClientCredentials(AbstractTokenProvider):  # type: ignore[misc] # aiokafka has no types
    """Access tokens for OAUTHBEARER (RFC 6749, section 4.4), each used until it is about to end."""

    def __init__(
        self,
        url: str,
        *,
        client_id: str,
        client_secret: str,
        scope: str = "",
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._url = url
        self._login = (client_id, client_secret)
        self._form = {"grant_type": "client_credentials"} | ({"scope": scope} if scope else {})
        self._transport = transport
        self._asking = asyncio.Lock()
        self._token = ""
        self._good_until = 0.0

    async def token(self) -> str:
        """A token that is still good. Raises AuthenticationFailedError, which says no secret."""
        async with self._asking:
            if time.monotonic() >= self._good_until:
                try:
                    self._token, lifetime = await self._ask()
                except (TimeoutError, httpx.HTTPError, ValueError, TypeError, KeyError) as error:
                    raise AuthenticationFailedError(
                        f"no token for Kafka: {type(error).__qualname__}"
                    ) from None
                self._good_until = time.monotonic() + lifetime - TOKEN_MARGIN
            return self._token

    async def _ask(self) -> tuple[str, float]:
        """A token and how many seconds it holds; 0 where that is not said."""
        async with (
            asyncio.timeout(TOKEN_TIMEOUT),
            httpx.AsyncClient(timeout=TOKEN_TIMEOUT, transport=self._transport) as client,
        ):
            answer = await client.post(self._url, data=self._form, auth=self._login)
            answer.raise_for_status()
            told = answer.json()
        return str(told["access_token"]), float(told.get("expires_in", 0))
