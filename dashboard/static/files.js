// Files that the server makes, to be saved by the browser.

import { h } from "./dom.js";

const KEPT = 60_000; // milliseconds: the browser has begun by then

/** Offer the response's whole content to be saved, as a link that is followed at once. */
export async function save(response, name) {
  const url = URL.createObjectURL(await response.blob());
  h("a", { href: url, download: nameOf(response) ?? name }).click();
  setTimeout(() => URL.revokeObjectURL(url), KEPT);
}

function nameOf(response) {
  return response.headers.get("Content-Disposition")?.match(/filename="([^"]+)"/)?.[1];
}
