// Numbers and durations as they are read.

export const NUMBER = new Intl.NumberFormat("de-DE");

const UNITS = { long: ["Sekunde", "Minute", "Stunde"], narrow: ["s", "min", "h"] };
const rounded = (digits) => new Intl.NumberFormat("de-DE", { maximumFractionDigits: digits });
const TENTHS = rounded(1);
const WHOLE = rounded(0);

/** „0,8 Sekunden", „3 Minuten", „2,5 Stunden"; „narrow" is „0,8 s", „3 min", „12 h" */
export function duration(milliseconds, style = "long") {
  const seconds = milliseconds / 1000;
  const least = seconds < 0.05;
  const [value, unit] = seconds < 100 ? [least ? 0.1 : seconds, 0] : seconds < 6000 ? [seconds / 60, 1] : [seconds / 3600, 2];
  const name = UNITS[style][unit];
  if (style === "narrow") return `${least ? "< " : ""}${(value < 10 ? TENTHS : WHOLE).format(value)} ${name}`;
  const shown = TENTHS.format(value);
  return `${least ? "weniger als " : ""}${shown} ${shown === "1" ? name : `${name}n`}`;
}
