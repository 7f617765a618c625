// What is entered of a patient, against what is stored: the same, another, or gone. Pure.

/** The fields that „Erneut senden" can change besides the channels. */
export const CONTACT = ["patient_name", "email", "phone", "locale"];

const NORMAL = {
  patient_name: (text) => text.split(/\s+/).filter(Boolean).join(" ").normalize("NFC"),
  email: (text) => text.trim().normalize("NFC").replace(/@[^@]*$/, (domain) => domain.toLowerCase()),
  phone: e164,
  locale: (code) => code,
};

/** A number as the service stores it, as far as this can be told here: one without country is German. */
function e164(text) {
  const typed = text.replace(/[oO]/g, "0").replace(/(\d)\s*\(\s*0\s*\)/g, "$1").trim();
  const digits = typed.replace(/\D/g, "");
  if (!digits || typed.startsWith("+")) return digits && `+${digits}`;
  if (digits.startsWith("00")) return `+${digits.slice(2)}`;
  if (digits.startsWith("49") && digits.length > 11) return `+${digits}`;
  return `+49${digits.replace(/^0/, "")}`;
}

/** Whether both say the same in this field; nothing entered is as good as nothing stored. */
export function same(name, one, other) {
  return NORMAL[name](one ?? "") === NORMAL[name](other ?? "");
}

/** Whether the older links become void: an address is another one now, or gone. */
export function renewsLink(stored, entered) {
  return ["email", "phone"].some((name) => stored[name] && !same(name, stored[name], entered[name]));
}
