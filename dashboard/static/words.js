// What the codes of the APIs are called in the practice.

export const CHANNELS = { email: "E-Mail", sms: "SMS" };

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

// RFC 3463: class.subject.detail; the class says for how long, the rest why.
const REASONS = {
  "1.1": "diese Adresse gibt es nicht",
  "1.2": "diese Domain gibt es nicht",
  "1.3": "ungültige Adresse",
  "1.6": "die Empfängerin oder der Empfänger ist umgezogen",
  "1.10": "diese Domain nimmt keine E-Mail an",
  "2.1": "das Postfach ist abgeschaltet",
  "2.2": "das Postfach ist voll",
  "4.1": "der Mailserver antwortet nicht",
  "4.4": "der Mailserver wurde nicht gefunden",
  "4.7": "zu lange nicht zustellbar",
};

/** Why something failed, in words; "" when nothing is known. */
export function reason({ category, status_code: code }) {
  const detail = code ? code.split(".").slice(1).join(".") : "";
  return REASONS[detail] ?? CATEGORIES[category] ?? "";
}

/** One channel's state in a sentence of its own. */
export function stateText(channel, view) {
  switch (view.state) {
    case "delivered":
      if (view.evidence === "confirmed") return "zugestellt, Zustellung bestätigt";
      return channel === "email" ? "zugestellt, vom Mailserver angenommen" : "zugestellt";
    case "failed": {
      const why = reason(view);
      return `${view.late ? "nachträglich als unzustellbar gemeldet" : "nicht zugestellt"}${why ? ` – ${why}` : ""}`;
    }
    case "unconfirmed":
      return "Zustellung nicht bestätigt – bitte anrufen";
    default:
      return "Zustellung ausstehend";
  }
}

/** One line of the history. */
export function historyText(entry) {
  if (entry.type === "requested") return "Einladung angefordert";
  if (entry.type === "pending") return "unterwegs";
  return stateText(entry.channel, { ...entry, state: entry.type });
}
