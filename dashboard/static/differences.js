// What somebody has before them, against what is stored by now: rows to be shown side by side. Pure.

import { CONTACT, same } from "./contact.js";
import { longDay } from "./dates.js";
import { shownLanguage } from "./languages.js";
import { CHANNELS } from "./words.js";

const LABELS = { patient_name: "Name", email: "E-Mail-Adresse", phone: "Mobilnummer", locale: "Sprache" };

/**
 * Rows of [label, mine, stored]. `mine` is the appointment as `seen`, with what was entered since.
 * Channels are of one sending: that others were chosen for the next one is no difference.
 */
export function differences(mine, seen, stored, { languages }) {
  const rows = [];
  if (when(mine) !== when(stored)) rows.push(["Termin", when(mine), when(stored)]);
  if (over(seen) !== over(stored) && over(mine) !== over(stored)) rows.push(["Gesendet per", over(mine), over(stored)]);
  for (const name of CONTACT) {
    if (same(name, mine[name], stored[name])) continue;
    const known = (value) => name === "locale" && languages.find(({ code }) => code === value);
    const shown = ({ [name]: value }) => (known(value) ? shownLanguage(known(value)) : value);
    rows.push([LABELS[name], shown(mine), shown(stored)]);
  }
  return rows;
}

function when({ date, time, duration_minutes: minutes }) {
  return date ? `${longDay(date)}, ${time} Uhr, ${minutes} Min.` : "";
}

function over({ channels }) {
  return channels.map((one) => CHANNELS[one] ?? one).join(" und ");
}
