"""Errors of the webhooks service's API, as RFC 9457 problem details."""

from chassis.problems import KnownProblem
from chassis.said import Said


class NoWebhook(KnownProblem):
    """404: this practice has no such webhook."""

    status = 404
    type_ = "no-webhook"
    title = Said("Diesen Webhook gibt es nicht.", "There is no such webhook.")
    advice = Said(
        "Die `id` mit `GET /v1/webhooks` vergleichen; er ist gelöscht, oder einer anderen Praxis.",
        "Compare the `id` with `GET /v1/webhooks`; it is deleted, or another practice's.",
    )


class TooManyWebhooks(KnownProblem):
    """409: the practice has as many webhooks as it may."""

    status = 409
    type_ = "too-many-webhooks"
    title = Said(
        "Die Praxis hat so viele Webhooks, wie sie haben darf.",
        "The practice has as many webhooks as it may have.",
    )
    advice = Said(
        "Einen löschen oder ändern, der nicht mehr gebraucht wird. Wie viele es sein dürfen, legt "
        "der Betreiber fest.",
        "Delete or change one that is not needed any more. The operator sets how many there may "
        "be.",
    )


class WebhookDisabled(KnownProblem):
    """409: the webhook is disabled; nothing is sent to it until it is enabled."""

    status = 409
    type_ = "webhook-disabled"
    title = Said("Der Webhook ist abgeschaltet.", "The webhook is disabled.")
    advice = Said(
        "Den Empfänger richten (`disabled_reason` sagt, was war), mit `PATCH` und "
        '`{"enabled": true}` einschalten, und nachholen, was seit `disabled_at` geschah.',
        "Mend the receiver (`disabled_reason` says what it was), enable it by `PATCH` with "
        '`{"enabled": true}`, and replay what happened since `disabled_at`.',
    )


class QueueFull(KnownProblem):
    """409: too much waits for this webhook already; replay the rest once that has been sent."""

    status = 409
    type_ = "webhook-queue-full"
    title = Said(
        "Für diesen Webhook wartet bereits zu viel.", "Too much waits for this webhook already."
    )
    advice = Said(
        "Fortfahren, sobald gesendet ist, was wartet: `waiting` des Webhooks sagt, wie viel es "
        "noch ist.",
        "Go on once what waits has been sent: `waiting` of the webhook says how much it still is.",
    )


class DisabledByOperator(KnownProblem):
    """409: whoever runs the installation has disabled the webhook, and alone can enable it."""

    status = 409
    type_ = "webhook-disabled-by-operator"
    title = Said(
        "Der Betreiber hat den Webhook abgeschaltet.", "The webhook was disabled by the operator."
    )
    advice = Said(
        "Den Betreiber fragen, weshalb: nur er schaltet ihn wieder ein.",
        "Ask the operator why: nobody else enables it again.",
    )


# Codes of fields, beside those of every service (chassis/problems.py).
FIELD_CODES = {
    "url_syntax": Said(
        "Keine vollständige Adresse, oder eine mit `#`, Leerzeichen oder Umlauten.",
        "No whole URL, or one with `#`, blanks or other characters than ASCII.",
    ),
    "url_scheme": Said(
        "Die Adresse beginnt nicht mit `https://`.", "The URL does not begin with `https://`."
    ),
    "url_port": Said(
        "An diesem Port ruft diese Installation niemanden.",
        "This installation calls nobody at this port.",
    ),
    "url_credentials": Said(
        "In der Adresse stehen Zugangsdaten; was gesendet wird, ist unterschrieben.",
        "There are credentials in the URL; what is sent is signed.",
    ),
    "url_address": Said(
        "Eine Adresse, die nicht öffentlich ist und die der Betreiber nicht freigegeben hat.",
        "An address that is not public, and that the operator has not allowed.",
    ),
    "unknown_type": Said(
        "Keine Art von Ereignis, die gesendet wird; `options` nennt alle.",
        "No type of event that is sent; `options` names all.",
    ),
}
