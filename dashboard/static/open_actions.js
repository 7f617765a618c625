// What can be done about an appointment that needs a person, the best first. Pure.

import { otherChannel } from "./rescue.js";
import { CHANNELS, isWrongAddress } from "./words.js";

const UNDELIVERED = new Set(["invitation_failed", "call"]);

/** Whether somebody can say of it that it is dealt with. */
export const canFollowUp = (indicator) => (indicator?.causes ?? []).length > 0;

/**
 * As [{kind: "send", channel, label} | {kind: "call", phone, label} | {kind: "open", label} |
 * {kind: "done", label}].
 * `now` in milliseconds since the epoch: nothing is sent of what has begun.
 */
export function openActions(practice, indicator, appointment, now) {
  if (!appointment) return []; // nobody knows whom it is about
  const done = canFollowUp(indicator) ? [{ kind: "done", label: "Erledigt" }] : [];
  return [...remedies(practice, indicator, appointment, now), ...done];
}

function remedies(practice, indicator, appointment, now) {
  const { open, channels, cancelled, starts_at: startsAt } = indicator;
  const call = appointment.phone ? { kind: "call", phone: appointment.phone, label: `Anrufen: ${appointment.phone}` } : null;
  if (cancelled) return [call].filter(Boolean);
  const look = { kind: "open", label: "Termin ansehen" };
  if (!open.some((why) => UNDELIVERED.has(why)) || Date.parse(startsAt) <= now) {
    // Whoever has declined may have changed their mind only in the calendar: look, then call.
    return (open[0] === "declined" ? [look, call] : [call, look]).filter(Boolean);
  }
  const wrong = Object.values(channels).some((view) => view.state === "failed" && isWrongAddress(view));
  const resend = { kind: "open", label: wrong ? "Berichtigen und senden" : "Erneut senden" };
  const other = otherChannel(practice, appointment, indicator);
  const send = other ? { kind: "send", channel: other, label: `Stattdessen per ${CHANNELS[other]} senden` } : null;
  return (open.includes("invitation_failed") ? [send, resend, call] : [call, send, resend]).filter(Boolean);
}
