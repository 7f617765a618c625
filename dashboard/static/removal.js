// „Termin löschen" and „Daten löschen": asked for once more, since the patient's link dies with it.

import * as api from "./api.js";
import { longDay } from "./dates.js";
import { byId } from "./dom.js";
import { Fields } from "./fields.js";

const DELETE = {
  title: "Termin löschen",
  text: "Der Link in der Einladung wird sofort ungültig. Das lässt sich nicht rückgängig machen.",
  send: (id, version, onRetry) => api.remove(id, version, byId("confirm-notify").checked, onRetry),
};

/** On a patient's request: nothing of the appointment is kept. */
export const ERASE = {
  title: "Daten löschen",
  text:
    "Der Termin wird gelöscht und mit ihm alles, was dazu gespeichert ist: Name, Adressen, " +
    "Zustellungen und Verlauf. Der Link in der Einladung wird sofort ungültig; bereits gesendete " +
    "Nachrichten bleiben beim Empfänger. Das lässt sich nicht rückgängig machen.",
  send: (id, _version, onRetry) => api.erase(id, onRetry),
};

export class Removal {
  #dialog = byId("confirm");
  #form = byId("confirm-form");
  #fields = new Fields(this.#form);
  #id = "";
  #operation = DELETE;

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

  open(id, operation = DELETE) {
    this.#id = id;
    this.#operation = operation;
    byId("confirm-title").textContent = `${operation.title}?`;
    byId("confirm-submit").textContent = operation.title;
    this.#fields.clear();
    byId("confirm-notify").checked = true;
    // Of a patient who asked for it, nothing is kept that a message could be sent with.
    byId("confirm-notify-field").hidden = operation === ERASE;
    this.#describe();
    this.dialogs.open(this.#dialog);
  }

  close() {
    this.#dialog.close();
  }

  #describe() {
    const { patient_name: name, date, time } = this.desk.appointment(this.#id);
    byId("confirm-text").textContent =
      `${name}, ${longDay(date)}, ${time} Uhr. ${this.#operation.text}`;
  }

  async #send() {
    const id = this.#id;
    const done = await this.#fields.submit(async (onRetry) => {
      try {
        await this.#operation.send(id, this.desk.appointment(id)?.version, onRetry);
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
