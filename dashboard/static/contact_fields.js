// The addresses in a form: needed for a chosen channel, optional for the other.

import { ADDRESS_FIELDS } from "./channels.js";
import { describe } from "./dom.js";

/** The channels whose box is checked. */
export function chosenChannels(form) {
  return Object.keys(ADDRESS_FIELDS).filter((channel) => form.elements[`channel-${channel}`].checked);
}

/**
 * Show what the practice can use: an asterisk where the channel is chosen, „(optional)" and what
 * for where the other one is.
 */
export function adaptAddresses(form, practice) {
  const chosen = chosenChannels(form);
  for (const [channel, name] of Object.entries(ADDRESS_FIELDS)) {
    const field = form.querySelector(`[data-field="${name}"]`);
    const needed = chosen.includes(channel);
    const spare = !needed && chosen.length > 0;
    field.hidden = !needed && !practice.channels.includes(channel);
    field.querySelector(".asterisk").hidden = !needed;
    field.querySelector("[data-optional]").hidden = needed;
    form.elements[name].required = needed;
    const hint = field.querySelector("[data-spare]");
    hint.hidden = !spare;
    describe(form.elements[name], hint.id, spare);
  }
}
