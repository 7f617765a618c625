// „Termin löschen": asked for once more, since the patient's link dies with it.

import * as api from "./api.js";
import { longDay } from "./dates.js";
import { byId } from "./dom.js";
import { Fields } from "./fields.js";

export class Removal {
  #dialog = byId("confirm");
  #form = byId("confirm-form");
  #fields = new Fields(this.#form);
  #id = "";

  /** `reload()` fetches the appointment anew, `onRemoved()`. */
  constructor({ desk, dialogs, reload, onRemoved }) {
    this.desk = desk;
    this.dialogs = dialogs;
    this.reload = reload;
    this.onRemoved = onRemoved;
    dialogs.install(this.#dialog);
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
  }

  open(id) {
    this.#id = id;
    this.#fields.clear();
    this.#describe();
    this.dialogs.open(this.#dialog);
  }

  close() {
    this.#dialog.close();
  }

  #describe() {
    const { patient_name: name, date, time } = this.desk.appointment(this.#id);
    byId("confirm-text").textContent =
      `${name}, ${longDay(date)}, ${time} Uhr. Der Link in der Einladung wird sofort ungültig. ` +
      "Das lässt sich nicht rückgängig machen.";
  }

  async #send() {
    const id = this.#id;
    const done = await this.#fields.submit(async (onRetry) => {
      try {
        await api.remove(id, this.desk.appointment(id)?.version, onRetry);
      } catch (error) {
        if (error instanceof api.Refused && error.status === 412) {
          await this.reload();
          if (this.desk.appointment(id)) this.#describe();
        }
        throw error;
      }
    });
    if (!done) return;
    this.close();
    this.onRemoved();
    this.desk.forget(id);
  }
}
