// A row of an appointment: when, who, over which channels, and its indicator at the right.

import { h, icon, setText } from "./dom.js";
import { CHANNELS, notes, shownState, STATES } from "./words.js";

/** An empty row, for `fillRow`. */
export function appointmentRow(id, testId = "appointment-row") {
  return h(
    "li",
    { "data-testid": testId, "data-appointment-id": id },
    h(
      "button",
      { type: "button", class: "row", "aria-haspopup": "dialog" },
      h("span", { class: "when" }, h("span", { class: "day muted" }), " ", h("span", { class: "time" }), " ", h("span", { class: "minutes muted" })),
      " ",
      h("span", { class: "who" }, h("span", { class: "name" }), " ", h("span", { class: "channels muted", "data-channels": "" }), " ", h("span", { class: "notes" })),
      " ",
      h("span", { class: "indicator", "data-testid": "indicator", "data-state": "" }, icon("clock"), h("span", { class: "label" })),
    ),
  );
}

/** What it shows now; `day` where the list is not of one day. What has not changed stays untouched. */
export function fillRow(item, desk, id, day = "") {
  const appointment = desk.appointment(id);
  if (!appointment) return;
  const indicator = desk.indicator(id);
  // Without an indicator that says so nothing is green.
  const state = shownState(indicator?.overall);
  const label = !indicator && desk.blind ? "Stand unbekannt" : STATES[state].label;
  setText(item.querySelector(".day"), day);
  setText(item.querySelector(".time"), appointment.time);
  setText(item.querySelector(".minutes"), `${appointment.duration_minutes} Min.`);
  setText(item.querySelector(".name"), appointment.patient_name);
  const channels = item.querySelector(".channels");
  const listed = appointment.channels.join();
  if (channels.dataset.channels !== listed) {
    channels.dataset.channels = listed;
    channels.replaceChildren(
      ...appointment.channels.map((one) => h("span", { class: "channel" }, icon(one), h("span", { class: "word" }, CHANNELS[one] ?? one))),
    );
  }
  fillNotes(item.querySelector(".notes"), notes(indicator, desk.practice.time_zone));
  const shown = item.querySelector(".indicator");
  if (shown.dataset.state !== state) {
    shown.dataset.state = state;
    shown.querySelector(".icon").replaceWith(icon(STATES[state].icon));
  }
  setText(shown.querySelector(".label"), label);
}

function fillNotes(list, found) {
  const said = JSON.stringify(found);
  if ((list.dataset.said ?? "[]") === said) return;
  list.dataset.said = said;
  list.replaceChildren(...found.map(({ about, state, text }) =>
    h("span", { class: "note", "data-note": about, "data-state": state }, text)));
}
