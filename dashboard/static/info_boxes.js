// Info boxes, the notice in the middle, and what only a screen reader needs to hear.

import { byId, h, icon } from "./dom.js";

const BOX_STAYS = 15_000; // milliseconds; what went wrong stays until it is dismissed
const NOTICE_STAYS = 7_000; // milliseconds
const MOST_BOXES = 8;
const ICONS = { delivered: "tick", failed: "mark", unconfirmed: "call" };

export class InfoBoxes {
  #container = byId("notices");
  #boxes = byId("infoboxes");
  #notice = byId("center-notice");
  #announcer = byId("announcer");
  #timer = 0;

  /**
   * About one channel of an appointment: newer news takes the place of older. `detail` is a second
   * line; `actions` are [{label, about, act}], `about` being what only a screen reader has to hear.
   */
  infobox(state, text, { id, channel, detail = "", actions = [] }) {
    this.drop(id, channel);
    const said = h("span", { class: "said" });
    const more = h("span", { class: "muted" });
    const words = h("div", { class: "words" }, said, more);
    if (actions.length) words.append(h("div", { class: "offers" }, ...actions.map(offer)));
    const box = h(
      "div",
      { class: "infobox", role: "status", "data-testid": "infobox", "data-state": state, "data-about": id, "data-channel": channel },
      icon(ICONS[state] ?? "info"),
      words,
    );
    const close = dismissal(() => box.remove());
    box.append(close);
    this.#boxes.prepend(box);
    // A live region is heard when its content changes, so it has to be there before.
    setTimeout(() => {
      said.textContent = text;
      more.textContent = detail;
    }, 50);
    if (state === "delivered") leaveLater(box, BOX_STAYS, () => box.remove());
    while (this.#boxes.childElementCount > MOST_BOXES) {
      (this.#lastArrived() ?? this.#boxes.lastElementChild).remove();
    }
  }

  center(text) {
    this.hideCenter();
    this.#notice.hidden = false;
    const said = h("span", { class: "said" });
    this.#notice.append(icon("tick"), said, dismissal(() => this.hideCenter()));
    setTimeout(() => {
      said.textContent = text;
    }, 50);
    const setTimer = (timer) => {
      this.#timer = timer;
    };
    setTimer(leaveLater(this.#notice, NOTICE_STAYS, () => this.hideCenter(), setTimer));
  }

  hideCenter() {
    clearTimeout(this.#timer);
    this.#notice.hidden = true;
    this.#notice.replaceChildren();
  }

  /** Take back what was said of an appointment, or of one of its channels. */
  drop(id, channel) {
    for (const box of [...this.#boxes.children]) {
      const { dataset } = box;
      if (dataset.about === id && (channel === undefined || dataset.channel === channel)) box.remove();
    }
  }

  announce(text) {
    this.#announcer.textContent = "";
    setTimeout(() => {
      this.#announcer.textContent = text;
    }, 50);
  }

  /** Beside a modal dialog everything is inert: they have to live inside of it. */
  moveInto(place) {
    if (this.#container.parentNode !== place) place.append(this.#container);
  }

  #lastArrived() {
    return [...this.#boxes.querySelectorAll('[data-state="delivered"]')].at(-1);
  }
}

function offer({ label, about, act }) {
  const button = h("button", { type: "button", class: "link", "aria-label": `${label}: ${about}` }, label);
  button.addEventListener("click", () => {
    button.disabled = true;
    act();
  });
  return button;
}

function dismissal(act) {
  const button = h("button", { type: "button", class: "plain square", "aria-label": "Meldung schließen" });
  button.append(icon("close"));
  button.addEventListener("click", act);
  return button;
}

/** Nothing goes away under the pointer or the keyboard's focus. */
function leaveLater(element, stay, act, onTimer = () => {}) {
  const timer = setTimeout(() => {
    if (element.matches(":hover, :focus-within")) onTimer(leaveLater(element, stay / 3, act, onTimer));
    else act();
  }, stay);
  return timer;
}
