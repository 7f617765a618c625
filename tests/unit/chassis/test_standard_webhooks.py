"""Signatures as the specification has them, and as its own library checks them."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from chassis import standard_webhooks

# The example of the specification, version 1.0.0.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}'
AT = datetime.fromtimestamp(1614265330, UTC)


def test_the_specification_s_example() -> None:
    assert standard_webhooks.sign([standard_webhooks.read_secret(SECRET)], ID, BODY, AT) == {
        "webhook-id": ID,
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@given(body=st.text(min_size=1).map(lambda text: f'"{text.encode().hex()}"'.encode()))
def test_whoever_has_one_of_the_secrets_can_check(body: bytes) -> None:
    secrets = [standard_webhooks.new_secret() for _ in range(3)]
    keys = [standard_webhooks.read_secret(each) for each in secrets]
    headers = standard_webhooks.sign(keys[:2], ID, body, datetime.now(UTC))
    for secret in secrets[:2]:
        Webhook(secret).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(secrets[2]).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(secrets[0]).verify(body + b" ", headers)


def test_an_old_message_can_not_be_sent_again() -> None:
    secret = standard_webhooks.new_secret()
    key = standard_webhooks.read_secret(secret)
    old = standard_webhooks.sign([key], ID, BODY, datetime.now(UTC) - timedelta(minutes=6))
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(BODY, old)


def of(length: int) -> str:
    return "whsec_" + base64.b64encode(bytes(length)).decode()


@pytest.mark.parametrize("length", [24, 32, 64])
def test_secrets_of_the_specification_s_lengths(length: int) -> None:
    assert standard_webhooks.read_secret(of(length)) == bytes(length)
    assert len(standard_webhooks.read_secret(standard_webhooks.new_secret())) == 32


@pytest.mark.parametrize("secret", [of(0), of(23), of(65), of(24) + "%", "whsec_short"])
def test_what_is_no_secret(secret: str) -> None:
    with pytest.raises(ValueError, match="a webhook secret"):
        standard_webhooks.read_secret(secret)
