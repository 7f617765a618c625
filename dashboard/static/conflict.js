// Somebody else was faster: both states side by side, and whoever is here decides.

import { h } from "./dom.js";

/**
 * `rows` are [label, mine, stored]. `onMine()` goes on with what was entered all the same,
 * `onStored()` gives it up for what is stored.
 */
export function showConflict(place, { text, rows, mine, onMine, onStored }) {
  const title = h("h4", { id: `${place.id}-title` }, "Inzwischen geändert");
  const choices = [
    choice(mine, "secondary", "conflict-mine", onMine),
    choice("Gespeichertes übernehmen", "plain", "conflict-stored", onStored),
  ];
  place.replaceChildren(title, h("p", {}, text), comparison(rows), h("div", { class: "actions" }, ...choices));
  place.setAttribute("aria-labelledby", title.id);
  place.hidden = false;
  place.focus();
}

export function hideConflict(place) {
  place.hidden = true;
  place.replaceChildren();
}

/** Each row's label over both values, so that an address has room on a phone. */
export function comparison(rows, mine = "Bei Ihnen") {
  const head = [mine, "Jetzt gespeichert"].map((text) => h("th", { scope: "col" }, text));
  const groups = rows.map(([label, ...both]) =>
    h(
      "tbody",
      {},
      h("tr", {}, h("th", { scope: "rowgroup", colspan: 2 }, label)),
      h("tr", {}, ...both.map((text) => h("td", {}, text || "–"))),
    ),
  );
  return h("table", { class: "comparison", hidden: rows.length === 0 }, h("thead", {}, h("tr", {}, ...head)), ...groups);
}

function choice(label, kind, testid, act) {
  const button = h("button", { type: "button", class: kind, "data-testid": testid }, label);
  button.addEventListener("click", act);
  return button;
}
