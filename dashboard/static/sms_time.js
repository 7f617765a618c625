// When the SMS goes out: at night it waits for the morning, unless it is to go now.

import * as api from "./api.js";
import { isDay, soon } from "./dates.js";
import { setText } from "./dom.js";

const PAUSE = 300; // milliseconds without a change before the service is asked
const TIME = /^\d\d:\d\d/;

export class SmsTime {
  #form;
  #text;
  #choice;
  #asked = "";
  #timer = 0;

  /** `slot()` is {date, time, offset} of the appointment; what is said stands at `[data-sms-time]`. */
  constructor({ desk, form, slot }) {
    this.desk = desk;
    this.slot = slot;
    this.#form = form;
    this.#text = form.querySelector("[data-sms-time]");
    this.#choice = form.elements.send_now.closest("label");
    for (const type of ["input", "change"]) form.addEventListener(type, () => this.update());
    form.addEventListener("reset", () => setTimeout(() => this.update()));
  }

  /** Whether somebody has chosen not to wait. */
  get sendNow() {
    return !this.#choice.hidden && this.#form.elements.send_now.checked;
  }

  /** Say what fits the form as it now is; asks again each time, as the evening comes by itself. */
  update({ anew = false } = {}) {
    const query = this.#query();
    if (query === this.#asked && !anew) return;
    this.#asked = query;
    clearTimeout(this.#timer);
    if (query) this.#timer = setTimeout(() => this.#ask(query), PAUSE);
    else this.#say(null);
  }

  #query() {
    const { date, time, offset } = this.slot();
    const wanted = this.desk.practice.quiet_hours && this.#form.elements["channel-sms"].checked;
    if (!wanted || !isDay(date) || !TIME.test(time)) return "";
    const query = new URLSearchParams({ date, time });
    if (offset) query.set("utc_offset", offset);
    return query.toString();
  }

  async #ask(query) {
    let until = null;
    try {
      until = (await api.smsTime(query)).waits_until;
    } catch {
      if (query === this.#asked) this.#asked = null; // the next change asks again
    }
    if (query === (this.#asked ?? query)) this.#say(until);
  }

  #say(until) {
    const text = until ? `SMS wird ${soon(until, this.desk.practice.time_zone)} gesendet.` : "";
    this.#choice.hidden = !until;
    if (!until) this.#form.elements.send_now.checked = false;
    setText(this.#text, text);
  }
}
