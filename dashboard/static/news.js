// What is worth telling when an indicator changes. Pure.

const TOLD = new Set(["delivered", "failed", "unconfirmed"]);

/**
 * The channels whose state has become one that is told, as [{channel, state, late}].
 * Nothing is told of what the page meets for the first time, unless `fresh` says that the
 * change has just happened.
 */
export function news(previous, next, { fresh }) {
  if (!previous && !fresh) return [];
  const before = previous?.attempt === next.attempt ? previous.channels : {};
  return Object.entries(next.channels)
    .filter(([channel, view]) => TOLD.has(view.state) && before[channel]?.state !== view.state)
    .map(([channel, view]) => ({ channel, state: view.state, late: view.late }));
}

/** Whether every requested channel of this attempt, or of a later one, has arrived. */
export function arrived(indicator, attempt) {
  return Boolean(indicator) && indicator.attempt >= attempt && indicator.overall === "delivered";
}
