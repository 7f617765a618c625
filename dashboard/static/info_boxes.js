// Info boxes, and what only a screen reader needs to hear.
//
// They have a lane of their own at the end of the page, or of the dialog: whatever else is shown
// ends above it, so that they can't cover anything.

import { CenterNotice } from "./center_notice.js";
import { byId, h, icon, setText } from "./dom.js";
import { dismissal, leaveLater, sayLater } from "./notices.js";
import { CHANNELS, messageCount } from "./words.js";

const ARRIVED_STAYS = 15_000; // milliseconds after the last; what went wrong stays until it is dismissed
const TOLD = "told"; // the state, and the key, of what is neither good nor bad
const TOLD_STAYS = 15_000; // milliseconds
const COUNT_AFTER = 200; // milliseconds, so that a burst is told once
const GROWS_FOR = 500; // milliseconds after a box came
const MOST_SINGLE = 2; // boxes of one state; more are gathered
const ICONS = { delivered: "tick", failed: "mark", unconfirmed: "call" };
const GATHERED = {
  delivered: (news) => `${messages(news)} zugestellt`,
  failed: (news) => `${appointments(news)} nicht zugestellt`,
  unconfirmed: (news) => `${appointments(news)} nicht bestätigt`,
};

export class InfoBoxes {
  #container = byId("notices");
  #boxes = byId("infoboxes");
  #announcer = byId("announcer");
  #center = new CenterNotice();
  #news = new Map(); // "id channel" -> what is told, oldest first
  #shown = new Map(); // the same key, or a state for what is gathered -> its box
  #counting = 0; // timer
  #inView = null; // what had the focus and was seen before boxes came
  #growing = 0; // timer
  #leave = () => {};
  #leaveTold = () => {};

  /** `onLook()`: somebody wants to see all that did not arrive. */
  constructor({ onLook }) {
    this.onLook = onLook;
    new ResizeObserver(() => this.#scrollBack()).observe(this.#boxes);
  }

  /**
   * About one channel of an appointment: newer news takes the place of older. `detail` is a second
   * line; `actions` are [{label, about, act}], `about` being what only a screen reader has to hear.
   */
  infobox(state, text, { id, channel, detail = "", actions = [] }) {
    const key = `${id} ${channel}`;
    this.#keepInView();
    this.#news.delete(key); // to the end
    this.#news.set(key, { id, channel, state, text, detail, actions });
    this.#render(key);
    if (state !== "delivered") return;
    this.#leave();
    this.#leave = leaveLater(this.#boxes, ARRIVED_STAYS, () => this.#dismiss((one) => one.state === "delivered"));
  }

  /** What became of an appointment otherwise; the last of it. `stays` until it is dismissed. */
  tell(text, { detail = "", stays = false } = {}) {
    this.#leaveTold();
    this.#keepInView();
    this.#news.delete(TOLD);
    this.#news.set(TOLD, { id: TOLD, channel: "", state: TOLD, text, detail, actions: [] });
    this.#render(TOLD);
    if (!stays) this.#leaveTold = leaveLater(this.#boxes, TOLD_STAYS, () => this.drop(TOLD));
  }

  /** Take back what was said of an appointment, or of one of its channels. */
  drop(id, channel) {
    this.#dismiss((one) => one.id === id && (channel === undefined || one.channel === channel));
  }

  /** What is shown as wrong and, as `stillSo(channel, state)` says, is so no more. */
  review(id, stillSo) {
    this.#dismiss((one) => one.id === id && one.state !== "delivered" && !stillSo(one.channel, one.state));
  }

  center(text) {
    this.#center.show(text);
  }

  hideCenter() {
    this.#center.hide();
  }

  announce(text) {
    this.#announcer.textContent = "";
    sayLater(this.#announcer, text);
  }

  /** Beside a modal dialog everything is inert: they have to live inside of it. */
  moveInto(place) {
    if (this.#container.parentNode !== place) place.append(this.#container);
  }

  #dismiss(which) {
    for (const [key, one] of this.#news) if (which(one)) this.#news.delete(key);
    this.#render();
  }

  // The newest first, of each state as single boxes, or gathered in one. `anew` is told once more.
  #render(anew) {
    const wanted = new Map();
    const states = new Set([...this.#news.values()].map((one) => one.state));
    for (const state of states) {
      const group = [...this.#news].filter(([, one]) => one.state === state);
      if (group.length > MOST_SINGLE) wanted.set(state, () => this.#gathered(state));
      else for (const [key, one] of group) wanted.set(key, () => this.#single(one));
    }
    const within = this.#boxes.contains(document.activeElement);
    for (const key of [...this.#shown.keys()]) if (key === anew || !wanted.has(key)) this.#remove(key);
    for (const [key, make] of wanted) {
      if (this.#shown.has(key)) continue;
      const box = make();
      this.#shown.set(key, box);
      this.#boxes.prepend(box);
    }
    clearTimeout(this.#counting);
    this.#counting = setTimeout(() => this.#count(), COUNT_AFTER);
    if (within && !this.#boxes.contains(document.activeElement)) this.#refocus();
  }

  // The lane grows at the cost of what is above it, several times while boxes come: what had the
  // focus and was seen before that is seen after it.
  #keepInView() {
    this.#inView = inView() ?? this.#inView;
    clearTimeout(this.#growing);
    this.#growing = setTimeout(() => {
      this.#inView = null;
    }, GROWS_FOR);
  }

  #scrollBack() {
    const kept = this.#inView;
    if (kept && kept === document.activeElement && isBelow(kept)) kept.scrollIntoView({ block: "nearest" });
  }

  #remove(key) {
    this.#shown.get(key)?.remove();
    this.#shown.delete(key);
  }

  #single({ id, channel, state, text, detail, actions }) {
    const said = h("span", { class: "said" });
    const more = h("span", { class: "muted" });
    const words = h("div", { class: "words" }, said, more);
    if (actions.length) words.append(h("div", { class: "offers" }, ...actions.map(offer)));
    sayLater(said, text);
    sayLater(more, detail);
    return this.#box(state, words, () => this.drop(id, channel));
  }

  #gathered(state) {
    const words = h("div", { class: "words one-line" }, h("span", { class: "said" }));
    if (state !== "delivered") {
      const look = h("button", { type: "button", class: "link", "data-testid": "infobox-look" }, "ansehen");
      look.addEventListener("click", () => {
        this.#dismiss((one) => one.state === state);
        this.onLook();
      });
      words.append(" – ", look);
    }
    return this.#box(state, words, () => this.#dismiss((one) => one.state === state));
  }

  #count() {
    for (const [key, box] of this.#shown) {
      if (!(key in GATHERED)) continue;
      setText(box.querySelector(".said"), GATHERED[key]([...this.#news.values()].filter((one) => one.state === key)));
    }
  }

  #box(state, words, close) {
    return h(
      "div",
      { class: "infobox", role: "status", "data-testid": state === TOLD ? TOLD : "infobox", "data-state": state },
      icon(ICONS[state] ?? "info"),
      words,
      dismissal(close),
    );
  }

  // What had the focus is gone: on to the next box, or back to the page or dialog.
  #refocus() {
    const back = this.#boxes.querySelector("button") ?? this.#container.parentNode.querySelector("[data-close], main");
    back?.focus({ preventScroll: true });
  }
}

/** How many somebody has to look at. */
function appointments(news) {
  return new Set(news.map(({ id }) => id)).size;
}

/** „2 E-Mails und 3 SMS": of an appointment one may have arrived, and the other not. */
function messages(news) {
  return Object.keys(CHANNELS)
    .map((channel) => messageCount(channel, news.filter((one) => one.channel === channel).length))
    .filter(Boolean)
    .join(" und ");
}

/** What is being typed in, or was just reached, as far as it is seen. */
function inView() {
  const focused = document.activeElement;
  return focused.closest("main, .sheet-body") && !isBelow(focused) ? focused : null;
}

function isBelow(element) {
  const scroller = element.closest(".sheet-body") ?? element.closest(".page");
  return element.getBoundingClientRect().bottom > scroller.getBoundingClientRect().bottom + 1;
}

function offer({ label, about, act }) {
  const button = h("button", { type: "button", class: "link", "aria-label": `${label}: ${about}` }, label);
  button.addEventListener("click", () => {
    button.disabled = true;
    act();
  });
  return button;
}
