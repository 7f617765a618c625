// Which changes of an indicator are news. Pure.

const NEWSWORTHY = new Set(["delivered", "failed", "unconfirmed"]); // states

/**
 * The channels whose state has become one that is news, as [{channel, state, late}].
 * What the page meets for the first time is none, unless `fresh` says that the
 * change has just happened.
 */
export function news(previous, next, { fresh }) {
  if (!previous && !fresh) return [];
  const before = previous?.attempt === next.attempt ? previous.channels : {};
  return Object.entries(next.channels)
    .filter(([channel, view]) => NEWSWORTHY.has(view.state) && before[channel]?.state !== view.state)
    .map(([channel, view]) => ({ channel, state: view.state, late: view.late }));
}

/** Whether every requested channel of this attempt, or of a later one, has arrived. */
export function arrived(indicator, attempt) {
  return Boolean(indicator) && indicator.attempt >= attempt && indicator.overall === "delivered";
}
