// What the codes of the APIs are called in the practice.

import { moment, soon, time } from "./dates.js";

/** „1 Termin", „12 Termine" */
export function appointmentCount(count) {
  return count === 1 ? "1 Termin" : `${count} Termine`;
}

export const CHANNELS = { email: "E-Mail", sms: "SMS" };

/** „1 E-Mail", „2 E-Mails", „2 SMS"; "" for none */
export function messageCount(channel, count) {
  return count ? `${count} ${CHANNELS[channel]}${count > 1 && channel === "email" ? "s" : ""}` : "";
}

export const STATES = {
  pending: { icon: "clock", label: "ausstehend" },
  delivered: { icon: "tick", label: "zugestellt" },
  failed: { icon: "mark", label: "nicht zugestellt" },
  unconfirmed: { icon: "call", label: "bitte anrufen" },
};

/** The state to show; what is missing or not known to this page is never more than pending. */
export function shownState(state) {
  return Object.hasOwn(STATES, state ?? "") ? state : "pending";
}

const CATEGORIES = {
  permanent: "endgültig abgelehnt",
  temporary: "nicht rechtzeitig zustellbar",
  technical: "technische Störung beim Versand",
  cancelled: "nicht mehr versendet",
};

const REASONS = {
  unknown_user: "Adresse unbekannt",
  mailbox_full: "Postfach voll",
  blocked: "vom Spamschutz abgewiesen, bitte anrufen oder anders senden",
  host_unknown: "den Teil nach dem @ gibt es nicht",
  message_too_big: "Nachricht zu groß",
  expired: "nicht rechtzeitig zustellbar",
  policy: "beim Empfänger nicht erlaubt, bitte anrufen oder anders senden",
  system: "Störung beim E-Mail-Anbieter der Adresse",
  other: "abgewiesen",
};

// Where a phone is no mailbox.
const SMS_REASONS = {
  unknown_user: "Nummer unbekannt",
  mailbox_full: "Speicher des Telefons voll",
  host_unknown: "Mobilfunknetz nicht gefunden",
  blocked: "vom Mobilfunknetz abgewiesen, bitte anrufen oder anders senden",
  policy: "vom Mobilfunknetz abgewiesen, bitte anrufen oder anders senden",
  system: "Störung im Mobilfunknetz",
};

// Of a report that only its own word stands for; it may be a stranger's.
const UNSIGNED = "Herkunft der Meldung nicht gesichert, bitte nachfragen";

/** Why something failed, in words; "" when nothing is known. */
export function reason(channel, { category, reason: why, evidence }) {
  if (evidence === "unsigned") return UNSIGNED;
  // What keeps us from sending is ours to mend; why a server says so helps nobody in the practice.
  if (category === "technical") return CATEGORIES.technical;
  return (channel === "sms" && SMS_REASONS[why]) || (REASONS[why] ?? CATEGORIES[category] ?? "");
}

const WRONG_ADDRESS = new Set(["unknown_user", "host_unknown"]);

const NOT_LET_IN = new Set(["blocked", "policy"]);

/** Whether the failure says that the address may be right, and sending the same again is no use. */
export function isNotLetIn({ category, reason: why }) {
  return category !== "technical" && NOT_LET_IN.has(why);
}

/** Whether the failure says that the address, or number, is none. */
export function isWrongAddress({ reason: why }) {
  return WRONG_ADDRESS.has(why);
}

/** One channel's state in a sentence of its own. */
export function stateText(channel, view, zone) {
  switch (view.state) {
    case "delivered":
      if (view.evidence === "confirmed") return "zugestellt, Zustellung bestätigt";
      if (view.evidence === "accepted" && channel === "email") return "zugestellt, vom E-Mail-Anbieter angenommen";
      return "zugestellt";
    case "failed": {
      const why = reason(channel, view);
      // A gateway takes every SMS; that is no tick which was taken back.
      return `${view.late && channel === "email" ? "nachträglich als unzustellbar gemeldet" : "nicht zugestellt"}${why ? ` – ${why}` : ""}${view.address_changed ? `; ${unsent(channel)}` : ""}`;
    }
    case "unconfirmed":
      if (view.address_changed) return `${unsent(channel)} – bitte senden oder anrufen`;
      return "Zustellung nicht bestätigt – bitte anrufen";
    default:
      return waits(view) && zone ? `wird ${soon(view.waits_until, zone)} gesendet` : "Zustellung ausstehend";
  }
}

/** That an address was corrected, and nothing sent to it. */
export function unsent(channel) {
  return `an die geänderte ${channel === "sms" ? "Nummer" : "Adresse"} wurde noch nichts gesendet`;
}

function waits({ state, waits_until: until }) {
  return state === "pending" && Boolean(until) && Date.parse(until) > Date.now();
}

/** What waits for the morning on purpose, as sentences without their full stop. */
export function waiting(indicator, zone) {
  const { channels = {}, notices = [] } = indicator ?? {};
  const said = (what, views) => Object.entries(views)
    .filter(([, view]) => waits(view))
    .map(([channel, view]) => `${CHANNELS[channel] ?? channel}${what} wird ${soon(view.waits_until, zone)} gesendet`);
  return [
    ...said("", channels),
    ...notices.flatMap((one) => said(` (${NOTICES[one.kind]?.name ?? "Nachricht"})`, one.channels)),
  ];
}

const NOTICES = {
  reminder: { name: "Erinnerung", arrived: "Erinnerung zugestellt" },
  moved: { name: "Verschiebung", arrived: "Verschiebung mitgeteilt" },
  cancelled: { name: "Absage", arrived: "Absage mitgeteilt" },
};
const NOT_INVITED = "nicht mitgeteilt, weil die Einladung nie ankam";
const WITHHELD = {
  reminder: { in_invitation: "nicht nötig, die Einladung war noch unterwegs", not_invited: NOT_INVITED },
  moved: { in_invitation: "nicht eigens mitgeteilt, die Einladung nennt die neue Zeit", not_invited: NOT_INVITED },
  cancelled: { not_invited: NOT_INVITED },
};
const ANSWERS = {
  accepted: "hat zugesagt",
  tentative: "hat unter Vorbehalt zugesagt",
  declined: "hat abgesagt",
};
const JOINED = { patient: "ist im Warteraum", host: "Praxis ist beigetreten" };

const FOLLOWED_UP = "als erledigt markiert";
const CORRECTED = "Angaben geändert, ohne zu senden";

/** Whether a line of the timeline is about a notice. */
export function isNotice({ about }) {
  return Object.hasOwn(NOTICES, about);
}

/** One line of the timeline; "" for what is not known to this page. `open` says what is to be done. */
export function timelineText(entry, open, zone) {
  if (entry.type === "joined") return JOINED[entry.role] ?? "";
  if (entry.type === "followed_up") return FOLLOWED_UP;
  if (entry.type === "corrected") return CORRECTED;
  if (entry.type === "answered") return answerText(entry, open);
  const channel = CHANNELS[entry.channel] ?? entry.channel;
  if (entry.type === "pending" && entry.waits_until && zone) {
    const what = isNotice(entry) ? `${NOTICES[entry.about].name} ` : "";
    return `${channel}: ${what}wartet bis ${moment(entry.waits_until, zone)}, damit nachts niemand geweckt wird`;
  }
  if (isNotice(entry)) return `${channel}: ${noticeText(entry)}`;
  return entry.about === "invitation" ? `${channel}${again(entry)}: ${historyText(entry)}` : "";
}

function again({ attempt }) {
  return attempt > 1 ? `, ${attempt}. Einladung` : "";
}

function noticeText(entry) {
  const { name, arrived } = NOTICES[entry.about];
  switch (entry.type) {
    case "delivered":
      return entry.evidence === "confirmed" ? `${arrived}, Zustellung bestätigt` : arrived;
    case "failed": {
      const held = WITHHELD[entry.about][entry.withheld];
      if (held) return `${name} ${held}`;
      if (entry.category === "cancelled") return `${name} ${CATEGORIES.cancelled}`;
      const why = reason(entry.channel, entry);
      return `${name} nicht angekommen${why ? ` – ${why}` : ""}`;
    }
    case "unconfirmed":
      return `${name} nicht bestätigt`;
    default:
      return `${name} unterwegs`;
  }
}

function answerText({ answer }, open = []) {
  const text = ANSWERS[answer] ?? "";
  return answer === "declined" && open.includes("declined") ? `${text} – bitte prüfen` : text;
}

const OPEN = {
  moved_failed: "Verschiebung nicht angekommen – bitte anrufen",
  cancelled_failed: "Absage nicht angekommen – bitte anrufen",
  reminder_failed: "Erinnerung nicht angekommen – bitte anrufen",
  declined: "hat abgesagt – bitte prüfen",
  call: "Zustellung nicht bestätigt – bitte anrufen",
};
const UNSURE = {
  moved: "Verschiebung nicht bestätigt – bitte anrufen",
  cancelled: "Absage nicht bestätigt – bitte anrufen",
};

// Those that a row says beside its tick or mark, which tells of the invitation.
const BESIDE = ["moved_failed", "reminder_failed"];

/** Whether a notice is on its way, and no channel has told the patient. */
function isUntold({ channels }) {
  const views = Object.values(channels).filter(({ category }) => category !== "cancelled");
  return views.some((view) => view.state === "pending" && !waits(view))
    && views.every(({ state }) => state === "pending" || state === "unconfirmed");
}

/** What a row says beside its tick or mark, as [{about, state, text}]. */
export function notes(indicator, zone) {
  if (!indicator) return [];
  const { open = [], waiting_since: since, answer, overall, notices = [] } = indicator;
  const found = [];
  if (since) {
    found.push({ about: "waiting", state: "waiting", text: `im Warteraum seit ${time(since, zone)}` });
  }
  for (const text of waiting(indicator, zone)) found.push({ about: "sms-waits", state: "pending", text });
  for (const about of BESIDE.filter((one) => open.includes(one))) {
    found.push({ about, state: "failed", text: OPEN[about] });
  }
  if (open.includes("call") && overall === "pending") {
    found.push({ about: "call", state: "unconfirmed", text: "noch nicht zugestellt – bitte anrufen" });
  } else if (open.includes("call") && overall !== "unconfirmed") {
    found.push({ about: "call", state: "unconfirmed", text: "Verschiebung nicht bestätigt – bitte anrufen" });
  } else if (notices.some((one) => one.kind === "moved" && isUntold(one))) {
    found.push({ about: "moved", state: "pending", text: "Verschiebung noch nicht mitgeteilt" });
  }
  const said = answer && answerText(answer, open);
  if (said) found.push({ about: "answer", state: open.includes("declined") ? "failed" : "pending", text: said });
  if (indicator.followed_up_at) {
    found.push({ about: "follow-up", state: "pending", text: `${FOLLOWED_UP} ${moment(indicator.followed_up_at, zone)}` });
  }
  return found;
}

/** One line of the history. */
export function historyText(entry) {
  if (entry.type === "requested") return "Einladung angefordert";
  if (entry.type === "pending") return "unterwegs";
  return stateText(entry.channel, { ...entry, state: entry.type });
}

const STATE_OF = { invitation_failed: "failed", call: "unconfirmed" };

/** Why an appointment needs a person, as sentences; of a reason that is not known to this page too. */
export function openTexts({ open, channels, notices }) {
  const texts = open.flatMap((why) => {
    const concerned = Object.entries(channels).filter(([, view]) => view.state === STATE_OF[why]);
    if (concerned.length) return concerned.map(([channel, view]) => `${CHANNELS[channel] ?? channel}: ${stateText(channel, view)}`);
    const unsure = why === "call" ? notices.filter((one) => one.kind in UNSURE && isUnsure(one)) : [];
    return unsure.length ? unsure.map((one) => UNSURE[one.kind]) : [OPEN[why] ?? "bitte prüfen"];
  });
  return [...new Set(texts)];
}

function isUnsure(notice) {
  return isUntold(notice) || Object.values(notice.channels).some((view) => view.state === "unconfirmed");
}
