"""Where Kafka is and as whom a process logs in to it; chassis/kafka.py makes clients of that."""

import ssl
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from chassis.tls import show

Security = Literal["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"]
Mechanism = Literal["SCRAM-SHA-512", "OAUTHBEARER"]
UNENCRYPTED = {"plaintext", "sasl_plaintext"}


class KafkaSettings(BaseSettings):
    """Where Kafka is, and as whom this process logs in to it."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    kafka_bootstrap: str = Field(description="Host and port of Kafka, several with commas.")
    kafka_security: Security = Field(
        default="sasl_ssl",
        description="sasl_ssl: TLS and a login. ssl: TLS and a client certificate. What is plain "
        "is for one machine.",
    )
    kafka_mechanism: Mechanism = Field(default="SCRAM-SHA-512", description="Of the login.")
    kafka_username: str = Field(default="", description="Its name (SCRAM).")
    kafka_password: SecretStr = Field(default=SecretStr(""), description="Its password (SCRAM).")
    kafka_token_url: str = Field(
        default="",
        description="Where the identity provider gives tokens by client credentials (OAUTHBEARER).",
    )
    kafka_client_id: str = Field(default="", description="The client's id there.")
    kafka_client_secret: SecretStr = Field(default=SecretStr(""), description="Its secret.")
    kafka_scope: str = Field(default="", description="Scopes asked for there, if it wants any.")
    kafka_ca_file: str | None = Field(
        default=None, description="Own certificate authorities of the brokers (PEM)."
    )
    kafka_cert_file: str | None = Field(
        default=None, description="This process's certificate (PEM), for mutual TLS."
    )
    kafka_key_file: str | None = Field(default=None, description="Its private key (PEM).")

    def kafka_tls(self) -> ssl.SSLContext | None:
        """What encrypts and, with a certificate, logs in. Raises OSError for files without use."""
        if self.kafka_security in UNENCRYPTED:
            return None
        context = ssl.create_default_context(cafile=self.kafka_ca_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.kafka_cert_file is not None:
            show(context, self.kafka_cert_file, self.kafka_key_file)
        return context

    @model_validator(mode="after")
    def _kafka_login_is_whole(self) -> Self:
        if self.kafka_security == "ssl":
            needed = ["kafka_cert_file", "kafka_key_file"]
        elif self.kafka_security == "plaintext":
            needed = []
        elif self.kafka_mechanism == "SCRAM-SHA-512":
            needed = ["kafka_username", "kafka_password"]
        else:
            needed = ["kafka_token_url", "kafka_client_id", "kafka_client_secret"]
        for name in needed:
            value = getattr(self, name)
            if not (value.get_secret_value() if isinstance(value, SecretStr) else value):
                raise ValueError(f"kafka_security={self.kafka_security} needs {name}")
        if bool(self.kafka_cert_file) != bool(self.kafka_key_file):
            raise ValueError("kafka_cert_file and kafka_key_file go together")
        try:
            self.kafka_tls()
        except OSError as error:  # ssl.SSLError is one
            raise ValueError(
                f"kafka_ca_file, kafka_cert_file or kafka_key_file can't be used: {error.strerror}"
            ) from None
        return self
