// Whether what is shown is how things are, in the head of every view.

import { dayOf, time } from "./dates.js";
import { byId, setText } from "./dom.js";

const LIVE = { connecting: "Verbinde …", live: "Anzeige aktuell", behind: "Stand nicht sicher", lost: "Keine Verbindung" };
const STALE = "Anzeige kann veraltet sein";

export class Live {
  #stream = "connecting";

  constructor({ desk, openList }) {
    this.desk = desk;
    this.openList = openList;
    openList.addEventListener("change", () => this.#render());
    desk.addEventListener("practice", () => this.#render());
  }

  /** The stream is heard, or not. */
  hear(state) {
    this.#stream = state;
    this.#render();
  }

  #render() {
    const state = this.#state();
    const shown = byId("live");
    shown.dataset.state = state;
    setText(shown, LIVE[state]);
    setText(byId("connection"), this.#doubt(state));
  }

  // A stream that is heard is not enough: the service behind it may have heard nothing for hours.
  #state() {
    if (this.#stream !== "live" || this.openList.certain) return this.#stream;
    return this.openList.unknown ? "connecting" : "behind";
  }

  #doubt(state) {
    if (state === "lost") return `${LIVE.lost} – ${STALE}`;
    if (state !== "behind") return "";
    const { asOf } = this.openList;
    const { time_zone: zone } = this.desk.practice;
    return asOf ? `Stand: ${dayOf(asOf, zone)}, ${time(asOf, zone)} Uhr – ${STALE}` : STALE;
  }
}
