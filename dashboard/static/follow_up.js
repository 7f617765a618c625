// „Erledigt": somebody has dealt with what is open, as by a call, and says so for all desks.

import * as api from "./api.js";
import { byId, h } from "./dom.js";
import { Fields } from "./fields.js";
import { openTexts } from "./words.js";

export class FollowUp {
  #dialog = byId("follow-up");
  #form = byId("follow-up-form");
  #fields = new Fields(this.#form);
  #keys = new api.Keys(); // the same once more is one follow-up, until something else is open
  #seen = null; // the indicator as it was described: what fails meanwhile is not ticked off unseen

  /** `onDone(id)` */
  constructor({ dialogs, onDone }) {
    this.dialogs = dialogs;
    this.onDone = onDone;
    dialogs.install(this.#dialog);
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
  }

  open(indicator, name) {
    this.#seen = indicator;
    this.#fields.clear();
    byId("follow-up-name").textContent = name;
    byId("follow-up-what").replaceChildren(...openTexts(indicator).map((text) => h("li", {}, text)));
    this.dialogs.open(this.#dialog);
  }

  async #send() {
    const { appointment_id: id, causes } = this.#seen;
    const key = this.#keys.for({ id, causes });
    if (!(await this.#fields.submit((onRetry) => api.followUp(id, causes, key, onRetry)))) return;
    this.#dialog.close();
    this.onDone(id);
  }
}
