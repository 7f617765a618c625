// Native modal dialogs, one maybe above another.

export class Dialogs {
  #open = [];

  constructor(infoBoxes) {
    this.infoBoxes = infoBoxes;
  }

  /** Wire a dialog's closing buttons; `onClosed()` once it is closed. */
  install(dialog, { onClosed = () => {} } = {}) {
    for (const button of dialog.querySelectorAll("[data-close]")) {
      button.addEventListener("click", () => dialog.close());
    }
    dialog.addEventListener("close", () => {
      if (dialog.open) return; // opened again before it was told of
      onClosed();
      this.#open = this.#open.filter((one) => one !== dialog);
      this.#place();
      setTimeout(() => this.#keepFocus());
    });
  }

  open(dialog) {
    if (dialog.open) return;
    this.infoBoxes.hideCenter(); // it is about another appointment
    dialog.showModal();
    this.#open.push(dialog);
    this.#place();
  }

  closeAll() {
    for (const dialog of [...this.#open].reverse()) dialog.close();
  }

  get any() {
    return this.#open.some((dialog) => dialog.open); // one that closes is told of a little later
  }

  // What the dialog was opened from may have gone meanwhile.
  #keepFocus() {
    if (!this.any && document.activeElement === document.body) {
      document.querySelector("main > :not([hidden]) h1")?.focus({ preventScroll: true });
    }
  }

  #place() {
    this.infoBoxes.moveInto(this.#open.at(-1) ?? document.body);
  }
}
