"""Settings of the notification service, from the environment: NOTIFICATION_*."""

from typing import Literal

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from chassis.settings import LOOPBACK, ServiceSettings
from services.notification.channels.smtp_pool import SmtpServer


class Settings(ServiceSettings):
    """How to send and how patiently. Times in seconds."""

    model_config = SettingsConfigDict(env_prefix="NOTIFICATION_")

    port: int = Field(default=8402, ge=1, le=65535)
    mail_from: str = Field(
        pattern=r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+$",
        description="Address that invitations come from and bounces go to.",
    )
    smtp_host: str
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_tls: Literal["none", "starttls", "tls"] = "starttls"
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_client_name: str | None = Field(default=None, description="Name given with EHLO.")
    smtp_ca_file: str | None = Field(default=None, description="Own certificate authorities.")
    smtp_timeout: float = Field(default=20, gt=0, description="For each command.")
    smtp_message_timeout: float = Field(default=60, gt=0, description="For the final reply.")
    smtp_connections: int = Field(default=10, ge=1, le=200)
    smtp_messages_per_connection: int = Field(default=100, ge=1)
    smtp_idle_seconds: float = Field(default=20, ge=0)

    worker_batch: int = Field(default=100, ge=1, le=1000, description="Rows held at a time.")
    lease_seconds: float = Field(default=300, gt=0)
    poll_seconds: float = Field(default=2, gt=0)
    drain_seconds: float = Field(default=10, ge=0, description="For what is under way at the end.")
    retry_first_seconds: float = Field(default=30, gt=0)
    retry_longest_seconds: float = Field(default=1800, gt=0)

    @property
    def smtp_server(self) -> SmtpServer:
        """The mail server as the pool wants it."""
        password = self.smtp_password
        return SmtpServer(
            host=self.smtp_host,
            port=self.smtp_port,
            tls=self.smtp_tls,
            username=self.smtp_username,
            password=None if password is None else password.get_secret_value(),
            client_name=self.smtp_client_name,
            ca_file=self.smtp_ca_file,
            timeout=self.smtp_timeout,
            message_timeout=self.smtp_message_timeout,
            connections=self.smtp_connections,
            messages_per_connection=self.smtp_messages_per_connection,
            idle=self.smtp_idle_seconds,
        )

    @model_validator(mode="after")
    def _mail_is_safe(self) -> "Settings":
        if self.smtp_username is not None and self.smtp_tls == "none":
            raise ValueError("smtp_username needs smtp_tls: no login over a plain connection")
        if self.lease_seconds <= self.smtp_server.longest_send:
            raise ValueError("lease_seconds must be longer than all SMTP time-outs together")
        if self.environment == "production":
            if self.smtp_tls == "none":
                raise ValueError("production refuses smtp_tls=none")
            if self.smtp_host in LOOPBACK:
                raise ValueError("production refuses a local mailbox as smtp_host")
            domain = self.mail_from.rpartition("@")[2]
            if "." not in domain or domain.endswith((".test", ".example", ".invalid", ".local")):
                raise ValueError("production needs mail_from with a real domain")
        return self
