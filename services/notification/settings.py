"""Settings of the notification service, from the environment: NOTIFICATION_*."""

from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, IPvAnyNetwork, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from chassis.peers import too_wide
from chassis.secret_keys import KEYS_HELP, SEALING_HELP, check_keys, check_seeds, decode_keys
from chassis.settings import LOOPBACK, ProducerSettings
from contracts.sealed_bodies import BodyOpener
from services.notification.receipts.imap import ImapServer
from services.notification.receipts.return_path import MAX_LOCAL_PART, ReturnPath
from services.notification.receipts.tags import ENVELOPE_ID, Tags
from services.notification.sending.email.smtp_pool import SmtpServer

GATEWAY_SETTINGS = {
    "webhook": ("sms_receipts_url", "sms_webhook_url", "sms_webhook_secret"),
    "seven": ("sms_receipts_url", "sms_seven_api_key", "sms_seven_signing_key"),
    "twilio": ("sms_receipts_url", "sms_twilio_account_sid", "sms_twilio_auth_token"),
}
ADDRESS = r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+$"


class Settings(ProducerSettings):
    """How to send and how patiently."""

    model_config = SettingsConfigDict(env_prefix="NOTIFICATION_")
    service = "notification"

    port: int = Field(
        default=8402, ge=1, le=65535, description="Of the HTTP API, where gateways bring receipts."
    )
    operations_port: int = Field(default=8412, ge=1, le=65535, description="Of health, metrics.")
    mail_from: str = Field(
        pattern=ADDRESS,
        description="Address that invitations come from.",
    )
    bounce_address: str = Field(
        pattern=ADDRESS,
        description="Address below which the return paths are, and the addresses that patients' "
        "calendars answer to: mail to it, and to what follows with a + before the @, has to reach "
        "the intake.",
    )
    return_path_keys: Annotated[dict[int, SecretStr], AfterValidator(check_keys)] = Field(
        min_length=1,
        description=f"Keys of the return paths, envelope ids and organizers. {KEYS_HELP}",
    )
    contact_keys: Annotated[dict[int, SecretStr], AfterValidator(check_keys)] = Field(
        min_length=1, description=f"Keys that patients' data is stored under. {SEALING_HELP}"
    )
    request_keys: Annotated[dict[int, SecretStr], AfterValidator(check_seeds)] = Field(
        min_length=1,
        description="Private keys (X25519) that open what scheduling asks to send, by number, "
        "base64url of 32 bytes each. One is needed until all that was sealed for it is gone: "
        "14 days with the dead letters.",
    )
    intake_protocol: Literal["none", "smtp", "lmtp"] = Field(
        default="none", description="How a mail server hands over what comes back."
    )
    intake_host: str = Field(
        default="127.0.0.1", description="Address on which the intake listens."
    )
    intake_port: int = Field(
        default=8424, ge=1, le=65535, description="Port on which the intake listens."
    )
    intake_allow_from: list[IPvAnyNetwork] = Field(
        default=[IPv4Network("127.0.0.0/8"), IPv6Network("::1")],
        description="Networks that may connect to it, as a JSON list; production has to name those "
        "of its mail servers, in IPv4 at least /8, in IPv6 at least /32.",
    )
    kept_mail_megabytes: int = Field(
        default=100,
        ge=1,
        le=100_000,
        description="Of mail that came back and that no delivery is known for, at most kept for "
        "operations to look at; the oldest goes first.",
    )
    imap_host: str | None = Field(
        default=None, description="Mailbox that what comes back is fetched from, instead."
    )
    imap_port: int = Field(default=993, ge=1, le=65535, description="Of the mailbox.")
    imap_tls: Literal["none", "starttls", "tls"] = Field(
        default="tls", description="How the connection to it is encrypted."
    )
    imap_username: str = Field(default="", description="Its login.")
    imap_password: SecretStr = Field(default=SecretStr(""), description="Its password.")
    imap_folder: str = Field(default="INBOX", description="The folder that is read.")
    imap_ca_file: str | None = Field(default=None, description="Own certificate authorities.")
    imap_poll_seconds: float = Field(default=30, gt=0, description="Where IDLE is not offered.")
    smtp_host: str = Field(description="Mail server that invitations are handed over to.")
    smtp_port: int = Field(default=587, ge=1, le=65535, description="Its port.")
    smtp_tls: Literal["none", "starttls", "tls"] = Field(
        default="starttls", description="How the connection to it is encrypted."
    )
    smtp_username: str | None = Field(default=None, description="Its login, if it wants one.")
    smtp_password: SecretStr | None = Field(default=None, description="Its password.")
    smtp_client_name: str | None = Field(default=None, description="Name given with EHLO.")
    smtp_ca_file: str | None = Field(default=None, description="Own certificate authorities.")
    smtp_timeout_seconds: float = Field(default=20, gt=0, description="For each command.")
    smtp_message_timeout_seconds: float = Field(
        default=600,
        gt=0,
        description="For the reply after the final dot; ten minutes by RFC 5321 section 4.5.3.2.6.",
    )
    smtp_connections: int = Field(
        default=10,
        ge=1,
        le=200,
        description="Open at once, of each process: as many as the server takes. What is due goes "
        "out no faster than these by the time that it takes for a mail.",
    )
    smtp_messages_per_connection: int = Field(
        default=100, ge=1, description="After which a connection is made anew."
    )
    smtp_idle_seconds: float = Field(
        default=20, ge=0, description="How long a connection is kept without use."
    )

    sms_gateways: list[Literal["webhook", "seven", "twilio"]] = Field(
        default=[], description="In the order in which they are tried; none: no SMS."
    )
    sms_sender: str = Field(
        default="Praxis",
        pattern=r"^([A-Za-z0-9 ]{1,11}|\+[1-9][0-9]{6,14})$",
        description="Up to eleven letters and digits, or a number in E.164.",
    )
    sms_receipts_url: str = Field(
        default="",
        description="Where gateways reach this service, without a slash at the end; "
        "/v1/receipts/<gateway> follows.",
    )
    sms_per_second: float = Field(default=5, gt=0, description="For each gateway.")
    sms_timeout_seconds: float = Field(
        default=30, gt=0, description="For one gateway's whole answer."
    )
    sms_webhook_url: str = Field(
        default="", description="API of a gateway of one's own, for the gateway webhook."
    )
    sms_webhook_secret: SecretStr = Field(
        default=SecretStr(""), description="Shared with it (Standard Webhooks, whsec_…)."
    )
    sms_seven_url: str = Field(
        default="https://gateway.seven.io/api", description="API of seven.io."
    )
    sms_seven_api_key: SecretStr = Field(default=SecretStr(""), description="API key at seven.io.")
    sms_seven_signing_key: SecretStr = Field(
        default=SecretStr(""), description="With which seven.io signs its receipts."
    )
    sms_twilio_account_sid: str = Field(default="", description="Account at Twilio.")
    sms_twilio_auth_token: SecretStr = Field(
        default=SecretStr(""), description="Its token, which receipts are signed with, too."
    )

    lease_seconds: float = Field(
        default=120,
        ge=10,
        description="How long a message stays a process's own that no longer renews its claim.",
    )
    poll_seconds: float = Field(default=2, gt=0, description="Between two looks for what is due.")
    kafka_erasure_poll_seconds: float = Field(
        default=60,
        gt=0,
        le=3600,
        description="Between two removals from Kafka of requests that were taken over.",
    )
    drain_seconds: float = Field(default=10, ge=0, description="For what is under way at the end.")
    retry_first_seconds: float = Field(
        default=30, gt=0, description="Until the second try; each wait is double the one before."
    )
    retry_longest_seconds: float = Field(default=1800, gt=0, description="Between two tries.")

    @property
    def body_opener(self) -> BodyOpener:
        """Opens requests."""
        return BodyOpener(decode_keys(self.request_keys))

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
            timeout=self.smtp_timeout_seconds,
            message_timeout=self.smtp_message_timeout_seconds,
            connections=self.smtp_connections,
            messages_per_connection=self.smtp_messages_per_connection,
            idle=self.smtp_idle_seconds,
        )

    @property
    def return_path(self) -> ReturnPath:
        """Signs and reads the return paths."""
        return ReturnPath(self.bounce_address, decode_keys(self.return_path_keys))

    @property
    def has_intake(self) -> bool:
        """Whether what comes back is read at all."""
        return self.intake_protocol != "none" or self.imap_host is not None

    @property
    def envelope_ids(self) -> Tags:
        """Signs and reads envelope ids."""
        return Tags(decode_keys(self.return_path_keys), purpose=ENVELOPE_ID)

    @property
    def imap_server(self) -> ImapServer | None:
        """The mailbox of what comes back, if there is one."""
        if self.imap_host is None:
            return None
        return ImapServer(
            host=self.imap_host,
            port=self.imap_port,
            tls=self.imap_tls,
            username=self.imap_username,
            password=self.imap_password.get_secret_value(),
            folder=self.imap_folder,
            ca_file=self.imap_ca_file,
            poll=self.imap_poll_seconds,
        )

    @model_validator(mode="after")
    def _sms_is_set_up(self) -> Self:
        for gateway in self.sms_gateways:
            for name in GATEWAY_SETTINGS[gateway]:
                value = getattr(self, name)
                if not (value.get_secret_value() if isinstance(value, SecretStr) else value):
                    raise ValueError(f"sms_gateways with {gateway} needs {name}")
        if self.environment == "production" and self.sms_gateways:
            for name in ("sms_receipts_url", "sms_webhook_url", "sms_seven_url"):
                url: str = getattr(self, name)
                if url and not url.startswith("https://"):
                    raise ValueError(f"production needs https in {name}")
        return self

    @model_validator(mode="after")
    def _bounces_come_back(self) -> Self:
        if len(self.bounce_address.rpartition("@")[0]) > MAX_LOCAL_PART:
            raise ValueError(f"bounce_address: at most {MAX_LOCAL_PART} characters before the @")
        if self.environment == "production":
            if not self.has_intake:
                raise ValueError("production needs intake_protocol or imap_host: without bounces")
            if self.intake_protocol != "none":
                self._require_named_mail_servers()
            if self.imap_host is not None and self.imap_tls == "none":
                raise ValueError("production refuses imap_tls=none")
        return self

    def _require_named_mail_servers(self) -> None:
        if "intake_allow_from" not in self.model_fields_set:
            raise ValueError("production needs intake_allow_from: the networks of its mail servers")
        if faults := too_wide(self.intake_allow_from):
            raise ValueError(f"production refuses intake_allow_from: {', '.join(faults)}")

    @model_validator(mode="after")
    def _mail_is_safe(self) -> Self:
        if self.smtp_username is not None and self.smtp_tls == "none":
            raise ValueError("smtp_username needs smtp_tls: no login over a plain connection")
        if self.environment == "production":
            if self.smtp_tls == "none":
                raise ValueError("production refuses smtp_tls=none")
            if self.smtp_host in LOOPBACK:
                raise ValueError("production refuses a local mailbox as smtp_host")
            domain = self.mail_from.rpartition("@")[2]
            if "." not in domain or domain.endswith((".test", ".example", ".invalid", ".local")):
                raise ValueError("production needs mail_from with a real domain")
        return self
