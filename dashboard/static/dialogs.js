// Native modal dialogs, one maybe above another.

export class Dialogs {
  #open = [];

  constructor(notices) {
    this.notices = notices;
  }

  /** Wire a dialog's closing buttons. */
  install(dialog) {
    for (const button of dialog.querySelectorAll("[data-close]")) {
      button.addEventListener("click", () => dialog.close());
    }
    dialog.addEventListener("close", () => {
      this.#open = this.#open.filter((one) => one !== dialog);
      this.#place();
    });
  }

  open(dialog) {
    if (dialog.open) return;
    this.notices.hideCenter(); // it is about another appointment
    dialog.showModal();
    this.#open.push(dialog);
    this.#place();
  }

  get any() {
    return this.#open.length > 0;
  }

  #place() {
    this.notices.moveInto(this.#open.at(-1) ?? document.body);
  }
}
