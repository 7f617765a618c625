// „Einladung erfolgreich versendet": the notice in the middle, which goes by itself.

import { byId, h, icon } from "./dom.js";
import { dismissal, leaveLater, sayLater } from "./notices.js";

const STAYS = 7_000; // milliseconds

export class CenterNotice {
  #place = byId("center-notice");
  #leave = () => {};

  show(text) {
    this.hide();
    const said = h("span", { class: "said" });
    this.#place.hidden = false;
    this.#place.append(icon("tick"), said, dismissal(() => this.hide()));
    sayLater(said, text);
    this.#leave = leaveLater(this.#place, STAYS, () => this.hide());
  }

  hide() {
    this.#leave();
    this.#place.hidden = true;
    this.#place.replaceChildren();
  }
}
