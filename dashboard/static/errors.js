// What is said of an error that does not belong to one field.

import { Refused, TimedOut } from "./api.js";

const UNREACHABLE = "Der Server ist gerade nicht erreichbar. Ihre Eingaben bleiben hier stehen.";
const TIMED_OUT = "Der Server hat nicht rechtzeitig geantwortet. Ihre Eingaben bleiben hier stehen.";
const INVALID = "Das hat leider nicht geklappt. Bitte prüfen Sie Ihre Eingaben.";

/** In words; `unreachable` and `invalid` where nothing was filled in that could stay or be checked. */
export function sentence(error, { unreachable, invalid = INVALID } = {}) {
  if (!(error instanceof Refused)) {
    return unreachable ?? (error instanceof TimedOut ? TIMED_OUT : UNREACHABLE);
  }
  if ([409, 429].includes(error.status) && error.detail) return error.detail;
  if (error.status === 403) return "Dazu haben Sie keine Berechtigung.";
  if (error.status === 404) return "Diesen Termin gibt es nicht mehr.";
  if (error.status === 412) return "Der Termin wurde inzwischen geändert. Sie sehen jetzt den neuen Stand.";
  if (error.status === 413) return "Die Eingabe ist zu lang.";
  return invalid;
}
