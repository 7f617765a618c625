"""Errors of the webhooks service's API, as RFC 9457 problem details."""

from fastapi_problem.error import StatusProblem


class NoWebhook(StatusProblem):
    """404: this practice has no such webhook."""

    status = 404
    type_ = "no-webhook"
    title = "There is no such webhook."


class TooManyWebhooks(StatusProblem):
    """409: the practice has as many webhooks as it may."""

    status = 409
    type_ = "too-many-webhooks"
    title = "The practice has as many webhooks as it may have."


class WebhookDisabled(StatusProblem):
    """409: the webhook is disabled; nothing is sent to it until it is enabled."""

    status = 409
    type_ = "webhook-disabled"
    title = "The webhook is disabled."


class QueueFull(StatusProblem):
    """409: too much waits for this webhook already; replay the rest once that has been sent."""

    status = 409
    type_ = "webhook-queue-full"
    title = "Too much waits for this webhook already."


class DisabledByOperator(StatusProblem):
    """409: whoever runs the installation has disabled the webhook, and alone can enable it."""

    status = 409
    type_ = "webhook-disabled-by-operator"
    title = "The webhook was disabled by the operator."
