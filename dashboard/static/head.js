// The page's title and navigation: which view is shown, and how much is open, in every one of them.

import { byId, h } from "./dom.js";

export const VIEWS = { offen: "Offen", patienten: "Patienten", termine: "Terminübersicht", protokoll: "Protokoll" };

export class Head {
  #count = byId("open-count");
  #view = "";

  constructor({ desk, openList }) {
    this.desk = desk;
    this.openList = openList;
    openList.addEventListener("change", () => this.#render());
    desk.addEventListener("practice", () => this.#render());
    new ResizeObserver(([{ target }]) => keepClear(target)).observe(document.querySelector(".top"));
  }

  show(view) {
    this.#view = view;
    for (const link of document.querySelectorAll("nav [data-view]")) {
      if (link.dataset.view === view) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    this.#render();
  }

  #render() {
    const shown = this.#mark();
    if (this.#count.dataset.shown !== shown) {
      this.#count.dataset.shown = shown;
      const said = shown.endsWith("?") ? " (nicht sicher)" : shown === "1" ? " Termin" : " Termine";
      this.#count.replaceChildren(shown, h("span", { class: "visually-hidden" }, said));
    }
    this.#count.hidden = shown === "";
    if (this.#view) document.title = `${shown && `(${shown}) `}${VIEWS[this.#view]} – ${this.desk.practice.name}`;
  }

  // Nothing is shown only where it is certain that nothing is open, or while the page begins.
  #mark() {
    const { count, certain, unknown } = this.openList;
    if (certain) return count ? String(count) : "";
    return unknown ? "" : `${count || ""}?`;
  }
}

/** What is scrolled to, or reached with the keyboard, is seen below the head, however long a name stands in it. */
function keepClear(head) {
  byId("page").style.setProperty("--head-height", `${head.offsetHeight}px`);
}
