// What was being entered as the session ended, until the same person logs in again.
//
// It stays in this tab, sealed under a key that the server gives to nobody else: who comes to the
// desk meanwhile, or logs in after, can't read it.

const PLACE = "draft";
const LASTS = 12 * 3600_000; // milliseconds
const CIPHER = "AES-GCM";
const NONCE = 12; // bytes

export class Drafts {
  #key = null;

  /** `key` is 32 bytes as base64url. Where the page has no secure context nothing is kept. */
  async unlock(key) {
    if (this.#key || !key || !globalThis.crypto?.subtle) return;
    this.#key = await crypto.subtle.importKey("raw", fromBase64(key), CIPHER, false, ["encrypt", "decrypt"]);
  }

  async keep(content) {
    if (!this.#key || !content) return;
    const iv = crypto.getRandomValues(new Uint8Array(NONCE));
    const bytes = new TextEncoder().encode(JSON.stringify({ content, at: Date.now() }));
    const sealed = new Uint8Array(await crypto.subtle.encrypt({ name: CIPHER, iv }, this.#key, bytes));
    sessionStorage.setItem(PLACE, `${toBase64(iv)} ${toBase64(sealed)}`);
  }

  /** What was kept, once; null where there is nothing, or nothing of this person's. */
  async take() {
    const kept = sessionStorage.getItem(PLACE);
    if (!kept || !this.#key) return null;
    forgetDrafts();
    try {
      const [iv, sealed] = kept.split(" ").map(fromBase64);
      const bytes = await crypto.subtle.decrypt({ name: CIPHER, iv }, this.#key, sealed);
      const { content, at } = JSON.parse(new TextDecoder().decode(bytes));
      return Date.now() - at < LASTS ? content : null;
    } catch {
      return null; // somebody else's
    }
  }
}

export function forgetDrafts() {
  sessionStorage.removeItem(PLACE);
}

/** What a form's fields hold, by name. */
export function values(form) {
  return Object.fromEntries(named(form).map((one) => [one.name, one.type === "checkbox" ? one.checked : one.value]));
}

/** Enter it again, as if it were typed. */
export function enter(form, content) {
  for (const one of named(form)) {
    if (!(one.name in content)) continue;
    if (one.type === "checkbox") one.checked = content[one.name];
    else one.value = content[one.name];
  }
  for (const type of ["input", "change"]) form.dispatchEvent(new Event(type));
}

// What is offered in answer to a refusal, as a choice of the two hours, is offered again by it.
function named(form) {
  return [...form.elements].filter(({ name, type }) => name && type !== "radio" && name !== "send_anyway");
}

function toBase64(bytes) {
  return btoa(String.fromCharCode(...bytes));
}

function fromBase64(text) {
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0));
}
