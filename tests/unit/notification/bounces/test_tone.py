"""Whether words alone tell of a failure, a delay or a success, where they speak of several."""

import pytest

from services.notification.bounces import EvidenceKind, Reading, read

ADDRESS = "petra.lang@patient.example"

GIVEN_UP = (
    "Ihre Nachricht an {A} konnte nach mehreren Versuchen nicht zugestellt werden. Es wird nicht"
    " erneut versucht, sie zuzustellen. 550 5.1.1 Empfänger unbekannt",
    "Ihre Nachricht an {A} konnte nicht zugestellt werden. Es wird nicht mehr versucht, sie"
    " zuzustellen; sie war 3 Tage lang verzögert.",
    "Ihre Nachricht an {A} wurde nicht zugestellt, obwohl 3 Tage lang erneut versucht worden ist,"
    " sie zuzustellen.",
    "Die Zustellung an {A} wurde verzögert und ist nun\nendgültig fehlgeschlagen.",
    "Die Zustellung an {A} hat sich verzögert; wir haben sie aufgegeben.",
    "Your message to {A} is undeliverable: 550 5.1.1 user unknown. You do not need to resend it;"
    " correct the address first.",
    "Your message to {A} has been delayed too often and was returned: 550 5.1.1 user unknown",
    "Your message to {A} has been delayed, and has now expired. If you have questions, ask us.",
    "Delivery to {A} was delayed (451 4.7.1 greylisted, will retry) and has now been cancelled.",
    "Delivery to {A} has been delayed for days. We have stopped trying.",
    "Delivery to {A} has been delayed. It will not be retried.",
    "Delivery to {A} has been delayed. No more attempts will be made.",
    "Your message to {A} has been rejected: no action is required from you",
    "Votre message à {A} a été retardé puis n'a pas pu être remis. Abandon définitif.",
    "El mensaje para {A} se ha retrasado y no se pudo entregar definitivamente.",
    "Uw bericht aan {A} had vertraging en kon niet worden afgeleverd. Er volgen geen verdere"
    " pogingen.",
)
STILL_TRIED = (
    "Ihre Nachricht an {A} konnte bisher nicht zugestellt werden. Wir versuchen es weiter.",
    "Ihre Nachricht an {A} konnte bisher nicht zugestellt werden (451 4.7.1). Wir versuchen es"
    " weiter und melden uns, falls es endgültig nicht gelingt.",
    "Ihre Nachricht an {A} konnte noch nicht zugestellt werden. Die Zustellung wird in vier"
    " Stunden erneut versucht.",
    "Die Zustellung Ihrer Nachricht an {A} ist verzögert. Sie werden benachrichtigt, wenn sie"
    "\nendgültig fehlschlägt.",
    "Die Zustellung an {A} ist verzögert. Sie müssen die Nachricht nicht erneut senden.",
    "Beim Zustellen Ihrer Nachricht an {A} ist ein vorübergehendes Problem aufgetreten. Der Server"
    " versucht es in den nächsten 46 Stunden erneut. Sie werden benachrichtigt, wenn die"
    " Zustellung dauerhaft fehlgeschlagen ist.",
    "Your message to {A} has been delayed. If it cannot be delivered for five days it will be"
    " returned to sender and no further attempts will be made.",
    "We have been unable to deliver your message to {A} so far.\nWe will keep trying.",
    "Your message to {A} is waiting; another attempt will be made in 4 hours",
    "Your message to {A} has not yet been delivered:\n450 4.2.2 mailbox is full",
    "Votre message pour {A} n'a pas encore été remis. Le serveur va réessayer.",
    "Az üzenet kézbesítése késik: {A}. A kiszolgáló tovább próbálkozik.",
)

POSTFIX = (
    "This is the mail system at host mail.praxis.example.\n\n"
    "Your message was successfully delivered to the destination(s)\n"
    "listed below. If the message was delivered to mailbox you will\n"
    "receive no further notifications. Otherwise you may still receive\n"
    "notifications of mail delivery errors from other systems.\n\n"
    "                   The mail system\n\n"
    "<{A}>: delivery via mx.example[198.51.100.4]:25: 250 2.0.0 Ok: queued as 4X\n"
)
ARRIVED = {
    "Successful Mail Delivery Report": POSTFIX,
    "Message status - delivered": "The message that you sent was delivered to the following:\n {A}",
    "Delivered: Einladung": "Your message has been delivered to the following recipients:\n\n{A}",
    "DELIVERED: Einladung": "Your document:\n\tEinladung\nwas successfully delivered to:\n\t{A}",
    "Delivery Status Notification (Success)": "Your message was successfully delivered to {A}.",
    "Relayed: Einladung": "Delivery to these recipients or groups is complete, but no delivery"
    " notification was sent by the destination server:\n\n{A}",
    "Relayé : Einladung": "La remise à ces destinataires ou groupes est terminée, mais le serveur"
    " de destination n'a pas envoyé de notification de remise :\n\n{A}",
    "Zugestellt: Einladung": "Ihre Nachricht wurde an folgende Empfänger zugestellt:\n\n{A}",
    "Zustellung erfolgreich": "Ihre Nachricht an {A} wurde erfolgreich zugestellt.",
    "Zustellung mit TLS": "Ihre Nachricht an {A} wurde verschluesselt zugestellt.",
    "Zustellbericht": "Ihre Nachricht wurde {A} zugestellt. Sollte sie nicht ankommen, wurde sie"
    " von einem anderen Server nicht zugestellt.",
}
NOT_ALL_ARRIVED = (
    POSTFIX + "\nYour message could not be delivered to:\n\n<petra@else.example>: user unknown\n",
    "Your message to {A} was successfully delivered to the server but the user is unknown.",
    "Your message to {A} was successfully delivered to mx.example, which said: 550 no thanks",
    "Your message to {A} has been delivered to our filter, and was rejected there.",
    "Your message was delivered to some recipients. The following addresses failed:\n\n{A}",
    "Successful delivery is not possible: {A} does not exist.",
    "Ihre Nachricht wurde an den Server zugestellt, {A} ist dort aber unbekannt: Empfänger"
    " unbekannt.",
    "Ihre Nachricht an {A} wurde dem Filter zugestellt und dort zurückgewiesen.",
    "Ihre Nachricht an {A} wurde nicht erfolgreich zugestellt.",
    "Ihre Nachricht wurde an {A} leider nicht zugestellt.",
    "Votre message à {A} n'a pas été remis.",
)


def told(text: str, subject: str = "Mail delivery", sender: str = "<>") -> Reading:
    """What a mail system's mail with this text means."""
    head = f"From: MAILER-DAEMON@mx.example\nTo: rueck@praxis.example\nSubject: {subject}\n"
    head = f"Return-Path: {sender}\n{head}Content-Type: text/plain; charset=utf-8\n\n"
    return read((head + text.replace("{A}", ADDRESS)).encode())


@pytest.mark.parametrize("text", GIVEN_UP)
def test_what_was_delayed_and_then_given_up_has_failed(text: str) -> None:
    reading = told(text)
    assert (reading.kind, reading.recipients) == (EvidenceKind.FAILED, (ADDRESS,))


@pytest.mark.parametrize("text", STILL_TRIED)
def test_what_is_still_tried_is_delayed_whatever_may_become_of_it(text: str) -> None:
    reading = told(text)
    assert (reading.kind, reading.recipients) == (EvidenceKind.DELAYED, (ADDRESS,))
    assert reading.permanent is False


def test_what_a_server_tells_all_its_customers_is_about_no_mail_of_ours() -> None:
    text = (
        "Liebe Kunden,\n\ngestern wurden E-Mails verzögert zugestellt. Einige Nachrichten kamen als"
        " unzustellbar (550 5.7.1) zurück.\n\nMit freundlichen Grüßen\n"
    )
    assert told(text, "Zustellung verzögert").kind is EvidenceKind.NOT_A_BOUNCE
    named = text.replace("gestern wurden E-Mails", "Ihre Nachricht an {A} wurde")
    assert told(named, "Zustellung verzögert").kind is EvidenceKind.FAILED


@pytest.mark.parametrize("sender", ["<>", "<mailer-daemon@mx.example>", "<otto@else.example>"])
@pytest.mark.parametrize("subject", ARRIVED)
def test_a_confirmation_in_words_is_neither_a_failure_nor_a_proof(
    subject: str, sender: str
) -> None:
    reading = told(ARRIVED[subject], subject, sender)
    assert reading.kind is EvidenceKind.NOT_A_BOUNCE


@pytest.mark.parametrize("text", NOT_ALL_ARRIVED)
def test_what_arrived_for_one_or_at_a_server_may_have_failed_all_the_same(text: str) -> None:
    assert told(text).kind is EvidenceKind.FAILED
