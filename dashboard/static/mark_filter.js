// Which rows of the Terminübersicht are shown: all, or those with one mark. How many have each is
// said where it is chosen.

import { byId, h, icon, setText } from "./dom.js";
import { shownState, STATES } from "./words.js";

const ALL = "all";
const UNKNOWN = "unknown"; // no mark: what became of it can't be asked for at the moment
const CHOICES = [ALL, "failed", "unconfirmed", "pending", "delivered"];

export class MarkFilter {
  #place = byId("mark-filter");
  #buttons = new Map(); // choice -> <button>
  #chosen = ALL;

  /** `onChange()` */
  constructor({ desk, onChange }) {
    this.desk = desk;
    this.onChange = onChange;
    for (const choice of CHOICES) {
      const button = choiceButton(choice);
      button.addEventListener("click", () => this.#choose(choice));
      this.#buttons.set(choice, button);
    }
    this.#place.append(...this.#buttons.values());
  }

  /** Whether the appointment's row is to be seen. */
  shows(id) {
    return this.#chosen === ALL || this.#state(id) === this.#chosen;
  }

  showAll() {
    if (this.#chosen !== ALL) this.#choose(ALL);
  }

  /** For other appointments the choice was not made. */
  startOver() {
    this.#chosen = ALL;
  }

  /** How many of these appointments there are to choose from. */
  render(ids) {
    this.#place.hidden = ids.length < 2 && this.#chosen === ALL;
    const counts = new Map([[ALL, ids.length]]);
    for (const id of ids) counts.set(this.#state(id), (counts.get(this.#state(id)) ?? 0) + 1);
    for (const [choice, button] of this.#buttons) {
      const count = counts.get(choice) ?? 0;
      button.setAttribute("aria-pressed", String(choice === this.#chosen));
      // What nothing has is no choice, unless it is the one that is made.
      button.hidden = count === 0 && choice !== this.#chosen && choice !== ALL;
      setText(button.querySelector(".count"), String(count));
    }
  }

  #state(id) {
    const indicator = this.desk.indicator(id);
    return !indicator && this.desk.blind ? UNKNOWN : shownState(indicator?.overall);
  }

  #choose(choice) {
    this.#chosen = choice;
    this.onChange();
  }
}

function choiceButton(choice) {
  const state = STATES[choice];
  return h(
    "button",
    { type: "button", class: "choice", "data-mark": choice, "data-state": choice, "aria-pressed": "false" },
    state ? icon(state.icon) : null,
    h("span", {}, state?.label ?? "alle"),
    " ",
    h("span", { class: "count" }),
  );
}
