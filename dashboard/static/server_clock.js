// What time the server has: the clock of this computer may be wrong.

let ahead = 0; // milliseconds by which this computer's is fast

/** `date` is the header of an answer that has just come, or null. */
export function heard(date) {
  const at = Date.parse(date ?? "");
  if (!Number.isNaN(at)) ahead = Date.now() - at;
}

/** Milliseconds since 1970, to a second or so. */
export const serverNow = () => Date.now() - ahead;
