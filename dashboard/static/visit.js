// „Videosprechstunde starten": into the video room, in a tab of its own, as the one who leads.

import * as api from "./api.js";
import { byId, h } from "./dom.js";
import { sentence } from "./errors.js";

const UNREACHABLE = "Der Videoraum ist gerade nicht erreichbar. Bitte versuchen Sie es noch einmal.";

export class Visit {
  #progress = byId("visit-progress");
  #button = byId("visit-open");
  #id = "";

  constructor({ reload }) {
    this.reload = reload;
  }

  /** Another appointment is shown. */
  begin(id) {
    this.#id = id;
    this.#show();
  }

  async start(id) {
    // Opened while the click counts: browsers stop a tab that comes after a response.
    const tab = window.open("about:blank", "_blank");
    this.#button.disabled = true;
    this.#show("Der Videoraum wird geöffnet …");
    try {
      const { url } = await api.room(id);
      if (tab) {
        tab.opener = null;
        tab.location.replace(url);
      }
      if (id === this.#id) this.#show(...(tab ? ["Geöffnet."] : ["Bereit: ", link(url)]));
    } catch (error) {
      tab?.close();
      if (id === this.#id) this.#show(sentence(error, { unreachable: UNREACHABLE, invalid: UNREACHABLE }));
      if (error instanceof api.Refused && error.status === 404) this.reload();
    } finally {
      this.#button.disabled = false;
    }
  }

  #show(...content) {
    this.#progress.replaceChildren(...content);
  }
}

function link(url) {
  return h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, "Videoraum öffnen");
}
