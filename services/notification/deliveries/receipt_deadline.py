"""How long a receipt is waited for, and when the gateway is asked for it."""

from datetime import datetime, timedelta

RECEIPT_WITHIN = timedelta(hours=24)  # from handing over
RECEIPT_AHEAD = timedelta(hours=2)  # of the start, so that there is time to call the patient
RECEIPT_AT_LEAST = timedelta(minutes=15)  # however soon the start is, no receipt comes at once
ASK_AFTER = timedelta(seconds=60)  # most receipts come by themselves
ASK_AFTER_SILENCE = timedelta(seconds=5)  # whether a message was taken at all is asked soon


def receipt_deadline(handed_over_at: datetime, starts_at: datetime) -> datetime:
    """From when on a missing receipt is published as such."""
    latest = min(handed_over_at + RECEIPT_WITHIN, starts_at - RECEIPT_AHEAD)
    return max(latest, handed_over_at + RECEIPT_AT_LEAST)
