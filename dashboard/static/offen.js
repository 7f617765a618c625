// „Offen": every coming appointment that needs a person, with what can be done about it.

import { dayOf, time } from "./dates.js";
import { byId, h, icon, setText } from "./dom.js";
import { openActions } from "./open_actions.js";
import { appointmentCount, openTexts } from "./words.js";

const UNNAMED = "Name gerade nicht abrufbar";
const SENDING = "Wird gesendet …";
const SETTLES = 600; // milliseconds, as in notices.css

export class Offen {
  #list = byId("open-rows");
  #items = new Map(); // id -> {item, content}
  #sending = new Set(); // ids
  #settling = 0; // timer
  #led = null; // the action that the focus was led to meanwhile

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
    this.#list.addEventListener("click", (event) => this.#keepBack(event), true);
    this.#render();
  }

  #render() {
    const { openList } = this;
    const { time_zone: zone } = this.desk.practice;
    setText(byId("open-state"), standing(openList));
    byId("open-state").dataset.state = openList.certain && openList.count === 0 && openList.awaited === 0 ? "delivered" : "";
    setText(byId("open-as-of"), openList.asOf ? `Stand: ${time(openList.asOf, zone)}` : "");
    byId("open-more-place").hidden = !openList.more;
    this.#renderRows();
  }

  // Rows are kept as they are where nothing of them has changed, and so is the focus.
  #renderRows() {
    const focused = document.activeElement?.closest(".open-rows > li");
    const rows = this.openList.rows.map(({ indicator, appointment }) => this.#row(indicator, appointment));
    const before = [...this.#list.children];
    const stays = new Set(rows.map(({ id }) => id));
    for (const [id, { item }] of this.#items) {
      if (stays.has(id)) continue;
      item.remove();
      this.#items.delete(id);
    }
    const changed = rows.filter((row, place) => this.#put(row, place));
    if (changed.length || before.some((item, place) => this.#list.children[place] !== item)) this.#settle();
    if (focused && !this.#list.contains(document.activeElement)) this.#refocus(before.indexOf(focused));
  }

  // A click, or a key, that was meant for what stood here a moment before does nothing.
  #settle() {
    clearTimeout(this.#settling);
    this.#list.classList.add("settling");
    this.#settling = setTimeout(() => {
      this.#list.classList.remove("settling");
      this.#led = null;
    }, SETTLES);
  }

  #keepBack(event) {
    if (!this.#led?.contains(event.target)) return;
    event.preventDefault();
    event.stopPropagation();
  }

  #lead(action) {
    this.#led = action;
    action.focus();
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
      sent: appointment?.invitation.attempt > indicator.attempt, // what became of it was not told yet
    };
  }

  /** Returns whether a row that was there reads otherwise now. */
  #put(row, place) {
    const content = JSON.stringify(row);
    const known = this.#items.get(row.id);
    const item = known?.item ?? h("li", { "data-testid": "open-row", "data-appointment-id": row.id });
    const before = item.textContent;
    if (known?.content !== content) {
      const acted = item.contains(document.activeElement) ? document.activeElement.dataset.kind : null;
      item.replaceChildren(...this.#content(row));
      this.#items.set(row.id, { item, content });
      const [same, other] = [item.querySelector(`[data-kind="${acted}"]`), item.querySelector("[data-kind]")];
      if (acted && same) same.focus();
      else if (acted && other) this.#lead(other);
    }
    this.#showSending(item, row);
    if (this.#list.children[place] !== item) this.#list.insertBefore(item, this.#list.children[place] ?? null);
    return Boolean(known) && item.textContent !== before;
  }

  // The button that was pressed stays, and the focus on it, until the row goes.
  #showSending(item, { id, name, actions, sent }) {
    const button = item.querySelector('[data-kind="send"]');
    if (!button) return;
    const sending = sent || this.#sending.has(id);
    const label = sending ? SENDING : actions.find(({ kind }) => kind === "send").label;
    setText(button, label);
    button.setAttribute("aria-label", `${label}: ${name}`);
    button.setAttribute("aria-disabled", String(sending));
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
      else if (button.getAttribute("aria-disabled") !== "true") this.#send(seen, channel);
    });
    return button;
  }

  async #send(seen, channel) {
    this.#sending.add(seen.id);
    this.#renderRows();
    await this.onSend(seen, channel);
    await this.openList.ask();
    this.#sending.delete(seen.id);
    this.#renderRows();
  }

  // Done, here or at another desk: on to what comes next.
  #refocus(at) {
    const next = this.#list.children[Math.min(at, this.#list.children.length - 1)];
    const action = next?.querySelector("[data-kind]");
    if (action) this.#lead(action);
    else byId("offen-title").focus();
  }

  async #loadMore() {
    const before = this.#list.children.length;
    await this.openList.loadMore();
    this.#list.children[before]?.querySelector("[data-kind]")?.focus();
  }
}

function standing({ count, certain, unknown, awaited }) {
  if (unknown) return "Wird geladen …";
  if (count === null) return "Was offen ist, ist gerade nicht abrufbar. Es wird weiter versucht.";
  const many = appointmentCount(count);
  const none = awaited ? `Nichts offen, zu ${awaited === 1 ? "einem Termin" : `${awaited} Terminen`} ist noch etwas unterwegs` : "Alles angekommen";
  if (certain) return count === 0 ? none : `${many} ${count === 1 ? "ist" : "sind"} offen`;
  const last = count === 0 ? `Zuletzt war ${awaited ? "nichts offen" : "alles angekommen"}` : `Zuletzt ${count === 1 ? "war" : "waren"} ${many} offen`;
  return `${last}; ob es noch so ist, ist gerade nicht sicher.`;
}
