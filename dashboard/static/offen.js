// „Offen": every coming appointment that needs a person, with what can be done about it.

import { dayOf, time } from "./dates.js";
import { byId, h, icon, setText } from "./dom.js";
import { openActions } from "./open_actions.js";
import { appointmentCount, openTexts } from "./words.js";

const UNNAMED = "Name gerade nicht abrufbar";

export class Offen {
  #list = byId("open-rows");
  #items = new Map(); // id -> {item, content}

  /**
   * `onOpen(id)`, `onSend({id, version}, channel)`: what was seen of the appointment;
   * `onDone(indicator, name)`: of the indicator as well
   */
  constructor({ desk, openList, onOpen, onSend, onDone }) {
    this.desk = desk;
    this.openList = openList;
    this.onOpen = onOpen;
    this.onSend = onSend;
    this.onDone = onDone;
    openList.addEventListener("change", () => this.#render());
    desk.addEventListener("practice", () => this.#render());
    byId("open-more").addEventListener("click", () => this.#loadMore());
    this.#render();
  }

  #render() {
    const { openList } = this;
    const { time_zone: zone } = this.desk.practice;
    setText(byId("open-state"), standing(openList));
    byId("open-state").dataset.state = openList.certain && openList.count === 0 ? "delivered" : "";
    setText(byId("open-as-of"), openList.asOf ? `Stand: ${time(openList.asOf, zone)}` : "");
    byId("open-more-place").hidden = !openList.more;
    this.#renderRows();
  }

  // Rows are kept as they are where nothing of them has changed, and so is the focus.
  #renderRows() {
    const focused = document.activeElement?.closest(".open-rows > li");
    const rows = this.openList.rows.map(({ indicator, appointment }) => this.#row(indicator, appointment));
    const at = focused ? [...this.#list.children].indexOf(focused) : -1;
    const stays = new Set(rows.map(({ id }) => id));
    for (const [id, { item }] of this.#items) {
      if (stays.has(id)) continue;
      item.remove();
      this.#items.delete(id);
    }
    rows.forEach((row, place) => this.#put(row, place));
    if (focused && !this.#list.contains(document.activeElement)) this.#refocus(at);
  }

  #row(indicator, appointment) {
    const { time_zone: zone } = this.desk.practice;
    return {
      id: indicator.appointment_id,
      version: appointment?.version,
      indicator,
      at: indicator.starts_at,
      when: indicator.starts_at ? [dayOf(indicator.starts_at, zone), time(indicator.starts_at, zone)] : ["", "–"],
      name: appointment?.patient_name || UNNAMED,
      cancelled: Boolean(indicator.cancelled),
      texts: openTexts(indicator),
      unsure: indicator.open.every((why) => why === "call"),
      actions: openActions(this.desk.practice, indicator, appointment, Date.now()),
    };
  }

  #put(row, place) {
    const content = JSON.stringify(row);
    const known = this.#items.get(row.id);
    const item = known?.item ?? h("li", { "data-testid": "open-row", "data-appointment-id": row.id });
    if (known?.content !== content) {
      const acted = item.contains(document.activeElement) ? document.activeElement.dataset.kind : null;
      item.replaceChildren(...this.#content(row));
      this.#items.set(row.id, { item, content });
      if (acted) (item.querySelector(`[data-kind="${acted}"]`) ?? item.querySelector("[data-kind]"))?.focus();
    }
    if (this.#list.children[place] !== item) this.#list.insertBefore(item, this.#list.children[place] ?? null);
  }

  #content({ id, version, indicator, at, when: [day, clock], name, cancelled, texts, unsure, actions }) {
    const seen = { id, version, indicator };
    const state = unsure ? "unconfirmed" : "failed";
    return [
      h("p", { class: "open-when" }, h("time", { datetime: at }, h("span", { class: "muted" }, day), " ", h("span", { class: "time" }, clock))),
      h(
        "div",
        { class: "open-what" },
        h("p", { class: "name" }, name, cancelled ? h("span", { class: "muted" }, " (Termin gelöscht)") : null),
        ...texts.map((text) => h("p", { class: "open-why", "data-state": state }, icon(unsure ? "call" : "mark"), h("span", {}, text))),
      ),
      ...actions.slice(0, 1).map((action) => this.#action(seen, name, action, "primary")),
      actions.length > 1 ? h("div", { class: "open-others" }, ...actions.slice(1).map((one) => this.#action(seen, name, one, "link"))) : "",
    ];
  }

  #action(seen, name, { kind, label, phone, channel }, look) {
    const shown = { class: look, "data-kind": kind, "aria-label": `${label}: ${name}` };
    if (kind === "call") return h("a", { ...shown, href: `tel:${phone}` }, label);
    const button = h("button", { type: "button", ...shown }, label);
    if (kind !== "send") button.setAttribute("aria-haspopup", "dialog");
    button.addEventListener("click", () => {
      if (kind === "open") this.onOpen(seen.id);
      else if (kind === "done") this.onDone(seen.indicator, name);
      else this.#send(button, seen, channel);
    });
    return button;
  }

  async #send(button, seen, channel) {
    if (button.getAttribute("aria-disabled") === "true") return;
    button.setAttribute("aria-disabled", "true"); // the focus stays on it, until the row goes
    await this.onSend(seen, channel);
    button.removeAttribute("aria-disabled");
  }

  // Done, here or at another desk: on to what comes next.
  #refocus(at) {
    const next = this.#list.children[Math.min(at, this.#list.children.length - 1)];
    (next?.querySelector("[data-kind]") ?? byId("offen-title")).focus();
  }

  async #loadMore() {
    const before = this.#list.children.length;
    await this.openList.loadMore();
    this.#list.children[before]?.querySelector("[data-kind]")?.focus();
  }
}

function standing({ count, certain, unknown }) {
  if (unknown) return "Wird geladen …";
  if (count === null) return "Was offen ist, ist gerade nicht abrufbar. Es wird weiter versucht.";
  const many = appointmentCount(count);
  if (certain) return count === 0 ? "Alles angekommen" : `${many} ${count === 1 ? "ist" : "sind"} offen`;
  const last = count === 0 ? "Zuletzt war alles angekommen" : `Zuletzt ${count === 1 ? "war" : "waren"} ${many} offen`;
  return `${last}; ob es noch so ist, ist gerade nicht sicher.`;
}
