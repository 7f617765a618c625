// When the clocks go back an hour comes twice: which of the two is meant?

import { h } from "./dom.js";

const NAMES = ["Sommerzeit (MESZ)", "Winterzeit (MEZ)"]; // summer is further from UTC

/** Show the choice; returns its first radio button. */
export function offerOffsets(form, options) {
  const place = form.querySelector(".offsets");
  const sorted = [...options].sort((one, other) => minutes(other) - minutes(one));
  const choices = sorted.map((offset, at) => {
    const radio = h("input", { type: "radio", name: "utc_offset", value: offset });
    return h("label", { class: "check" }, radio, `${NAMES[at] ?? ""} – UTC${offset}`);
  });
  place.replaceChildren(
    h("legend", {}, "Welche der beiden Uhrzeiten?", h("span", { class: "asterisk", "aria-hidden": "true" }, "*")),
    h("div", { class: "checks" }, ...choices),
  );
  place.hidden = false;
  return place.querySelector("input");
}

export function clearOffsets(form) {
  const place = form.querySelector(".offsets");
  place.hidden = true;
  place.replaceChildren();
}

/** "+02:00", or null when there was nothing to choose. */
export function chosenOffset(form) {
  return form.querySelector('[name="utc_offset"]:checked')?.value ?? null;
}

function minutes(offset) {
  const [hours, rest] = offset.slice(1).split(":").map(Number);
  return (offset[0] === "-" ? -1 : 1) * (hours * 60 + rest);
}
