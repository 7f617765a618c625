// E-mail addresses: likely typing errors, and addresses where the last invitation bounced.

import { describe, h } from "./dom.js";
import { isTopLevel } from "./top_levels.js";

const KNOWN = [
  "aol.com", "aol.de", "arcor.de", "email.com", "email.de", "freenet.de", "gmail.com", "gmx.at", "gmx.ch", "gmx.com",
  "gmx.de", "gmx.net", "googlemail.com", "hotmail.com", "hotmail.de", "icloud.com", "kabelmail.de",
  "live.com", "live.de", "mac.com", "mail.com", "mail.de", "mailbox.org", "me.com", "msn.com", "online.de",
  "outlook.com", "outlook.de", "posteo.de", "proton.me", "protonmail.com", "t-online.de", "unitybox.de",
  "vodafone.de", "web.de", "yahoo.com", "yahoo.de", "ymail.com",
];
const MEANT = { "gmail.de": "gmail.com", "googlemail.de": "googlemail.com", "t-online.com": "t-online.de", "tonline.de": "t-online.de", "web.com": "web.de" };
const ALONE = new Set(["gmail", "googlemail"]); // names that a provider has under one domain only
const SHORT = 7; // characters; a short domain is soon like another one

/** The address that was probably meant, or null. */
export function likelyMeant(address) {
  const [, local, domain] = address.trim().match(/^(.+)@([^@\s]+)$/) ?? [];
  if (!domain || KNOWN.includes(domain.toLowerCase())) return null;
  const typed = domain.toLowerCase();
  if (!MEANT[typed] && isElsewhere(typed)) return null;
  const most = typed.length > SHORT ? 2 : 1;
  const near = KNOWN.map((known) => [distance(typed, known), known]).sort(([one], [other]) => one - other);
  const [[first, known], [second]] = near;
  const meant = MEANT[typed] ?? (first <= most && first < second ? known : null);
  return meant && `${local}@${meant}`;
}

/** Whether it is a known name in another country, or otherwise elsewhere: „yahoo.fr". */
function isElsewhere(domain) {
  const [name, topLevel, ...more] = domain.split(".");
  return !more.length && !ALONE.has(name) && isTopLevel(topLevel) && KNOWN.some((known) => known.split(".")[0] === name);
}

/** Optimal string alignment: inserted, missing, wrong and swapped characters. */
function distance(one, other) {
  const rows = [Array.from({ length: other.length + 1 }, (_, at) => at)];
  for (let i = 1; i <= one.length; i += 1) {
    rows[i] = [i];
    for (let j = 1; j <= other.length; j += 1) {
      const cost = one[i - 1] === other[j - 1] ? 0 : 1;
      rows[i][j] = Math.min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + cost);
      if (i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1]) {
        rows[i][j] = Math.min(rows[i][j], rows[i - 2][j - 2] + 1);
      }
    }
  }
  return rows[one.length][other.length];
}

/** „Meinten Sie …?" below an e-mail field, in a form. */
export class TypingHint {
  #input;
  #place;
  #hinted = ""; // the input that was hinted at

  constructor(input) {
    const { form } = input;
    this.#input = input;
    this.#place = h("p", { class: "hint", id: `${input.id}-meant`, role: "status", "data-testid": "typing-hint" });
    input.after(this.#place);
    describe(input, this.#place.id, true);
    input.addEventListener("change", () => this.#look());
    input.addEventListener("input", () => this.#place.replaceChildren());
    // Whoever holds the key down, or clicks twice, has read nothing in between.
    form.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.repeat) event.preventDefault();
    });
    form.addEventListener("click", (event) => {
      if (event.detail > 1 && event.target.closest('[type="submit"]')) event.preventDefault();
    });
  }

  /**
   * True once for each likely typing error: nothing is sent then, and the address has the focus, so
   * that Enter does what the hint says, and the way to what was meant is the next one.
   */
  holdsUp() {
    if (!this.#look() || this.#hinted === this.#input.value) return false;
    this.#hinted = this.#input.value;
    this.#place.append(" Stimmt die Adresse, senden Sie noch einmal ab.");
    this.#input.focus();
    return true;
  }

  #look() {
    const meant = this.#input.closest("[hidden]") ? null : likelyMeant(this.#input.value);
    this.#place.replaceChildren();
    if (meant) this.#place.append("Meinten Sie ", correction(this.#input, meant), "?");
    return meant;
  }
}

/** A button that enters what was meant, as if it were typed. */
function correction(input, meant) {
  const button = h("button", { type: "button", class: "link" }, meant);
  button.addEventListener("click", () => {
    input.value = meant;
    input.dispatchEvent(new Event("input", { bubbles: true }));
    input.focus();
  });
  return button;
}

/** What the service takes for what was meant, below the fault. */
export function offerMeant(field, [meant]) {
  const input = field.querySelector("input");
  const place = h("p", { class: "hint meant" }, "Meinten Sie ", correction(input, meant), "?");
  input.addEventListener("input", () => place.remove(), { once: true });
  field.append(place);
}

export function forgetMeant(form) {
  for (const place of form.querySelectorAll(".meant")) place.remove();
}

/** Offer to send to an address known as dead all the same; returns the check box. */
export function offerSendAnyway(field) {
  const box = h("input", { type: "checkbox", name: "send_anyway" });
  const where = field.dataset.field === "phone" ? "Nummer" : "Adresse";
  field.append(h("label", { class: "check anyway" }, box, `Trotzdem an diese ${where} senden`));
  return box;
}

export function forgetSendAnyway(form) {
  for (const choice of form.querySelectorAll(".anyway")) choice.remove();
}

export function sendAnyway(form) {
  return form.querySelector('[name="send_anyway"]:checked') !== null;
}
