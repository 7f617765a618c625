"""The gateways as they are set up, in the order in which they are tried."""

from collections.abc import Callable
from datetime import datetime

from services.notification.sending.sms.failover import Failover, Line
from services.notification.sending.sms.gateway import Gateway
from services.notification.sending.sms.seven import SevenAccount, SevenGateway
from services.notification.sending.sms.transport import HttpLimits
from services.notification.sending.sms.twilio import TwilioAccount, TwilioGateway
from services.notification.sending.sms.webhook import WebhookAccount, WebhookGateway
from services.notification.settings import Settings


def gateways(settings: Settings, now: Callable[[], datetime]) -> dict[str, Gateway]:
    """Each gateway by its name, in the order of the settings."""
    return {name: _gateway(name, settings, now) for name in settings.sms_gateways}


def failover(gateways: dict[str, Gateway], settings: Settings) -> Failover:
    """One way out over all of them."""
    return Failover([Line(each, settings.sms_per_second) for each in gateways.values()])


def _gateway(name: str, settings: Settings, now: Callable[[], datetime]) -> Gateway:
    step = settings.sms_timeout_seconds / 2
    limits = HttpLimits(connect=step, write=step, read=step, total=settings.sms_timeout_seconds)
    receipts_url = f"{settings.sms_receipts_url}/v1/receipts/{name}"
    match name:
        case "seven":
            return SevenGateway(
                SevenAccount(
                    api_key=settings.sms_seven_api_key.get_secret_value(),
                    signing_key=settings.sms_seven_signing_key.get_secret_value(),
                    receipts_url=receipts_url,
                    url=settings.sms_seven_url,
                ),
                limits,
                now=now,
            )
        case "twilio":
            return TwilioGateway(
                TwilioAccount(
                    account_sid=settings.sms_twilio_account_sid,
                    auth_token=settings.sms_twilio_auth_token.get_secret_value(),
                    receipts_url=receipts_url,
                ),
                limits,
                now=now,
            )
        case _:
            return WebhookGateway(
                WebhookAccount(
                    url=settings.sms_webhook_url,
                    secret=settings.sms_webhook_secret.get_secret_value(),
                    receipts_url=receipts_url,
                ),
                limits,
                now=now,
            )
