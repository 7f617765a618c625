// What the SMS will say and how many segments it costs, while the form is filled in.

import * as api from "./api.js";
import { isDay } from "./dates.js";
import { byId, setText } from "./dom.js";
import { chosenOffset } from "./offsets.js";

const PAUSE = 250; // milliseconds without a change before the service is asked
const TIME = /^\d\d:\d\d/;

export class SmsPreview {
  #form;
  #place = byId("sms-preview");
  #text = byId("sms-text");
  #cost = byId("sms-cost");
  #asked = "";
  #timer = 0;

  constructor({ desk, form }) {
    this.desk = desk;
    this.#form = form;
    for (const type of ["input", "change"]) form.addEventListener(type, () => this.update());
    form.addEventListener("reset", () => setTimeout(() => this.update()));
  }

  /** Show what fits the form as it now is. */
  update() {
    this.#place.hidden = !this.#form.elements["channel-sms"].checked;
    const query = this.#place.hidden ? null : this.#query();
    if (query === this.#asked) return;
    this.#asked = query;
    clearTimeout(this.#timer);
    if (query) this.#timer = setTimeout(() => this.#ask(query), PAUSE);
    else this.#say("", "Der Text erscheint hier, sobald Datum und Uhrzeit angegeben sind.");
  }

  /** Null as long as the day or the time is missing. */
  #query() {
    const { practice } = this.desk;
    const { date, time, locale } = this.#form.elements;
    if (!isDay(date.value) || !TIME.test(time.value) || !practice.sample_link) return null;
    return new URLSearchParams({
      sender_name: practice.name,
      link: practice.sample_link,
      start: `${date.value}T${time.value}${chosenOffset(this.#form) ?? ""}`,
      time_zone: practice.time_zone,
      locale: locale.value || practice.language,
      phone: practice.phone ?? "",
    }).toString();
  }

  async #ask(query) {
    try {
      const preview = await api.smsPreview(query);
      if (query !== this.#asked) return;
      this.#text.lang = new URLSearchParams(query).get("locale");
      this.#say(preview.text, cost(preview));
    } catch {
      if (query !== this.#asked) return;
      this.#asked = ""; // the next change asks again
      this.#say("", "Der Text ist gerade nicht abrufbar. Einladen können Sie trotzdem.");
    }
  }

  #say(text, cost) {
    this.#text.textContent = text;
    this.#text.hidden = !text;
    setText(this.#cost, cost);
  }
}

/** „1 SMS, 142 von 160 Zeichen (GSM-7)", and why it is more than one. */
function cost({ encoding, extended, segments, used, room }) {
  const alphabet = { "gsm-7": "GSM-7", "ucs-2": "UCS-2" }[encoding] ?? encoding;
  const table = extended ? " mit Erweiterungstabelle" : "";
  const why = encoding === "ucs-2" ? " Wegen der Schriftzeichen passt weniger in eine SMS." : "";
  return `Kostet ${segments} SMS: ${used} von ${room} Zeichen (${alphabet}${table}).${why}`;
}
