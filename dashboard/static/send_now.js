// „Jetzt senden": an SMS of the open appointment waits for the morning, and need not.

import * as api from "./api.js";
import { byId } from "./dom.js";
import { sentence } from "./errors.js";
import { waiting } from "./words.js";

export class SendNow {
  #place = byId("send-now-place");
  #button = byId("send-now");
  #fault = byId("send-now-fault");
  #id = "";
  #busy = false;

  constructor({ desk, infoBoxes }) {
    this.desk = desk;
    this.infoBoxes = infoBoxes;
    this.#button.addEventListener("click", () => this.#send());
  }

  begin(id) {
    this.#id = id;
    this.#fault.textContent = "";
  }

  /** Show whether something waits, and until when. */
  update() {
    const found = waiting(this.desk.indicator(this.#id), this.desk.practice.time_zone);
    const focused = document.activeElement === this.#button;
    byId("send-now-text").textContent = found.map((one) => `${one}.`).join(" ");
    this.#place.hidden = found.length === 0;
    if (focused && this.#place.hidden) byId("details-title").focus();
  }

  async #send() {
    if (this.#busy) return;
    const id = this.#id;
    this.#occupy(true);
    this.#fault.textContent = "";
    try {
      await api.sendNow(id);
      this.infoBoxes.announce("Die SMS wird jetzt gesendet.");
    } catch (error) {
      if (id === this.#id) this.#fault.textContent = sentence(error);
    } finally {
      this.#occupy(false);
    }
  }

  #occupy(busy) {
    this.#busy = busy;
    this.#button.setAttribute("aria-disabled", String(busy));
  }
}
