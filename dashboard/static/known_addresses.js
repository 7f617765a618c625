// What is known of an address before it is written to: that something arrived there, or that it
// last was somebody else's. It is no more than a hint: families share addresses.

import * as api from "./api.js";
import { numericDay } from "./dates.js";
import { describe, h, setText } from "./dom.js";

const PAUSE = 300; // milliseconds, for what is changed together
const FIELDS = { email: "Adresse", phone: "Nummer" };

export class KnownAddresses {
  #form;
  #places = {};
  #timer = 0;
  #turn = 0;
  #shown = ""; // what was asked for last and is said, as JSON

  /** `own()` is the appointment that is sent again, whose stored addresses are not asked for. */
  constructor({ form, own = () => null }) {
    this.own = own;
    this.#form = form;
    for (const name of Object.keys(FIELDS)) {
      const input = form.elements[name];
      const place = h("p", { class: "hint known-address", role: "status", id: `${form.id}-${name}-known`, "data-testid": `${name}-known` });
      this.#places[name] = place;
      input.closest("[data-field]").append(place);
      input.addEventListener("input", () => {
        this.#shown = "";
        this.#say(name, null);
      });
    }
    // Typed there and back is no change, and the hint has gone with the first key.
    for (const type of ["change", "focusout"]) {
      form.addEventListener(type, ({ target }) => {
        if (target.name === "patient_name" || target.name in FIELDS) this.#soon();
      });
    }
    form.addEventListener("reset", () => this.forget());
  }

  forget() {
    clearTimeout(this.#timer);
    this.#turn += 1;
    this.#shown = "";
    for (const name of Object.keys(FIELDS)) this.#say(name, null);
  }

  #soon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#look(), PAUSE);
  }

  async #look() {
    const asked = this.#asked();
    if (JSON.stringify(asked) === this.#shown) return;
    const turn = ++this.#turn;
    let found = {};
    try {
      if (asked.email || asked.phone) found = await api.knownAddresses(asked);
    } catch {
      return; // it is no more than a hint; the next change asks again
    }
    if (turn !== this.#turn || JSON.stringify(this.#asked()) !== JSON.stringify(asked)) return;
    this.#shown = JSON.stringify(asked);
    for (const name of Object.keys(FIELDS)) this.#say(name, found[name]);
  }

  #asked() {
    const { elements } = this.#form;
    const own = this.own();
    const name = elements.patient_name.value.trim();
    const asked = { patient_name: name, appointment_id: own?.id ?? null };
    for (const field of Object.keys(FIELDS)) {
      const typed = elements[field].closest("[hidden]") ? "" : elements[field].value.trim();
      asked[field] = own && typed === (own[field] ?? "") && name === own.patient_name ? null : typed || null;
    }
    return asked;
  }

  #say(name, known) {
    const place = this.#places[name];
    const text = known ? sentences(FIELDS[name], known).join(" ") : "";
    place.dataset.other = String(Boolean(known?.other_name));
    setText(place, text);
    describe(this.#form.elements[name], place.id, text !== "");
  }
}

function sentences(what, { last_arrived_on: arrived, other_name: other }) {
  const said = [];
  if (arrived) said.push(`An diese ${what} kam zuletzt am ${numericDay(arrived)} eine Nachricht von Ihnen an.`);
  if (other) said.push(`Diese ${what} gehörte zuletzt zu einem anderen Namen; bitte prüfen Sie sie. Teilt sich eine Familie die ${what}, stimmt sie.`);
  return said;
}
