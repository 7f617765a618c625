// „Erneut senden": asks for the right address of what did not arrive.

import { sendAnyway, TypingHint } from "./addresses.js";
import * as api from "./api.js";
import { ADDRESS_FIELDS } from "./channels.js";
import { byId } from "./dom.js";
import { sentence } from "./errors.js";
import { Fields } from "./fields.js";
import { isWrongAddress } from "./words.js";

const NOT_TWICE = " Ein neuer Versuch ist ungefährlich: Es wird nicht doppelt gesendet.";

export class Resend {
  #form = byId("resend");
  #fields = new Fields(this.#form);
  #keys = new api.Keys();
  #hint = new TypingHint(this.#form.elements.email);
  #id = "";
  #typed = false;

  constructor({ desk, infoBoxes }) {
    this.desk = desk;
    this.infoBoxes = infoBoxes;
    this.#form.addEventListener("input", () => {
      this.#typed = true;
    });
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
  }

  begin(id) {
    this.#id = id;
    this.#typed = false;
    this.#fields.clear();
  }

  /** Show what the state asks for; what is being typed stays. */
  update() {
    const appointment = this.desk.appointment(this.#id);
    const missing = this.#missing(appointment);
    this.#form.hidden = missing.length === 0;
    if (this.#form.hidden) return;
    byId("resend-text").textContent = this.#text(missing);
    for (const [channel, name] of Object.entries(ADDRESS_FIELDS)) {
      this.#form.querySelector(`[data-field="${name}"]`).hidden = !missing.includes(channel);
      if (!this.#typed) this.#form.elements[name].value = appointment[name] ?? "";
    }
  }

  /** Put the focus into the address to be corrected; false if nothing has failed. */
  focus() {
    const indicator = this.desk.indicator(this.#id);
    if (this.#form.hidden || indicator?.overall !== "failed") return false;
    const failed = Object.keys(ADDRESS_FIELDS).find((one) => indicator.channels[one]?.state === "failed");
    const input = this.#form.elements[ADDRESS_FIELDS[failed]];
    input.focus();
    input.select();
    return true;
  }

  /**
   * The channels to send over again: all that have not arrived, since a new attempt takes the
   * place of what is still under way.
   */
  #missing(appointment) {
    const indicator = this.desk.indicator(this.#id);
    if (!indicator || !["failed", "unconfirmed"].includes(indicator.overall)) return [];
    return appointment.channels.filter((one) => indicator.channels[one]?.state !== "delivered");
  }

  #text(missing) {
    const { channels, overall } = this.desk.indicator(this.#id);
    if (overall === "unconfirmed") {
      return "Ob die Einladung ankam, ist nicht sicher. Bitte rufen Sie an, oder senden Sie sie erneut.";
    }
    if (missing.some((one) => channels[one]?.category === "technical")) {
      return "Der Versand ist an einer technischen Störung gescheitert; Adresse oder Nummer können richtig sein.";
    }
    if (missing.length > 1) return "Bitte prüfen Sie die Angaben und senden Sie die Einladung erneut.";
    const asked = missing[0] === "sms" ? "Mobilnummer" : "Adresse";
    return isWrongAddress(channels[missing[0]] ?? {})
      ? `Wie lautet die richtige ${asked}? Bitte prüfen und erneut senden.`
      : `Die ${asked} kann trotzdem richtig sein. Bitte prüfen oder eine andere angeben, und erneut senden.`;
  }

  async #send() {
    if (this.#hint.holdsUp()) return;
    const id = this.#id;
    const channels = this.#missing(this.desk.appointment(id));
    const body = { channels, send_anyway: sendAnyway(this.#form) };
    for (const channel of channels) {
      const name = ADDRESS_FIELDS[channel];
      body[name] = this.#form.elements[name].value;
    }
    let sent = null;
    const done = await this.#fields.submit(
      async (onRetry) => {
        sent = await api.resend(id, body, this.#keys.for([id, body]), onRetry);
      },
      (error) => sentence(error) + (error instanceof api.Unreachable ? NOT_TWICE : ""),
    );
    if (!done) return;
    this.#keys.done();
    if (id === this.#id) {
      this.#typed = false;
      byId("details-title").focus(); // the form goes away under the focus
    }
    this.infoBoxes.announce("Die Einladung wird erneut versendet.");
    await this.desk.awaitArrival(sent);
  }
}
