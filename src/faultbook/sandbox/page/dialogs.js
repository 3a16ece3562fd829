// Dialogs: the bot's modal stack, confirmations, and a viewer for raw JSON.

import { el, fill, icon, note } from "./dom.js";
import { renderBlocks } from "./blocks.js";
import { plain } from "./mrkdwn.js";
import { entered, post, state } from "./store.js";

let dialog = null;
let shown = "";

/** Shows the top of the acting person's modal stack, or nothing. */
export function showModals() {
  const view = state.stack.at(-1);
  if (!view) {
    dialog?.close();
    dialog?.remove();
    dialog = null;
    shown = "";
    return;
  }
  if (!dialog) {
    dialog = el("dialog", { class: "modal", data: { testid: "modal" }, aria: { labelledby: "modal-title" } });
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      leave(false);
    });
    document.body.append(dialog);
    dialog.showModal();
  }
  draw(view);
}

function draw(view) {
  const active = document.activeElement;
  const focused = dialog.contains(active) && shown === view.id ? active.dataset.action : null;
  const scroll = dialog.querySelector(".modal-body")?.scrollTop ?? 0;
  const errors = state.errors[view.id] ?? {};
  const place = {
    key: view.id, errors,
    act: (used) => act({ view_id: view.id, ...used }),
  };
  const form = el("form", { method: "dialog", novalidate: true },
    el("header", {},
      state.stack.length > 1 && el("button", { type: "button", class: "quiet", aria: { label: "Back" }, on: { click: () => leave(false) } }, icon("back")),
      el("h2", { id: "modal-title", text: plain(view.title?.text ?? "") }),
      el("button", { type: "button", class: "quiet", aria: { label: "Close" }, on: { click: () => leave(true) } }, icon("close"))),
    el("div", { class: "modal-body" }, renderBlocks(view.blocks, place), el("p", { class: "error", id: "modal-error", role: "alert" })),
    el("footer", {},
      el("button", { type: "button", class: "button", data: { testid: "modal-close" }, on: { click: () => leave(false) }, text: plain(view.close?.text ?? (view.submit ? "Cancel" : "Close")) }),
      view.submit && el("button", { type: "submit", class: "button primary", data: { testid: "modal-submit" }, text: plain(view.submit.text) })));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit(view, form);
  });
  fill(dialog, form);
  dialog.querySelector(".modal-body").scrollTop = shown === view.id ? scroll : 0;
  const wrong = dialog.querySelector(".wrong input, .wrong textarea, .wrong select");
  const first = dialog.querySelector("[autofocus], .modal-body input, .modal-body textarea, .modal-body select, .modal-body button, footer button");
  (wrong ?? (focused && dialog.querySelector(`[data-action="${CSS.escape(focused)}"]`)) ?? first)?.focus();
  shown = view.id;
}

async function submit(view, form) {
  const button = form.querySelector("[type=submit]");
  if (!button || button.disabled) return;
  button.disabled = true;
  button.classList.add("busy");
  const answer = await post("submit", { view_id: view.id, values: entered(view.id) });
  button.disabled = false;
  button.classList.remove("busy");
  const words = answer.complaint ?? (answer.ok ? "" : answer.error);
  const place = document.getElementById("modal-error");
  if (place && words) place.textContent = `${words} Nothing was submitted; try again.`;
}

async function leave(all) {
  await post("close", { all });
}

/** Uses an element, and says so when the bot took nothing. */
export async function act(body) {
  const answer = await post("click", body);
  const words = answer.ok ? answer.complaint : WORDS[answer.error] ?? answer.error;
  if (words) note(words, { bad: true });
}

// What is painted again while a confirmation is open may have lost the button that asked for it.
const WORDS = {
  element_not_found: "This button is gone: the message changed.",
  message_not_found: "This button is gone: the message was deleted.",
};

/** Asks for confirmation; true if it was given. */
export function ask({ title, body, yes, no, danger }) {
  return new Promise((decide) => {
    const box = el("dialog", { class: "modal confirm", data: { testid: "confirm" }, aria: { labelledby: "confirm-title" } },
      el("form", { method: "dialog" },
        el("header", {}, el("h2", { id: "confirm-title", text: title })),
        el("div", { class: "modal-body" }, body),
        el("footer", {},
          el("button", { class: "button", value: "no", data: { testid: "confirm-no" }, text: no }),
          el("button", { class: `button ${danger ? "danger" : "primary"}`, value: "yes", data: { testid: "confirm-yes" }, text: yes }))));
    box.addEventListener("close", () => {
      decide(box.returnValue === "yes");
      box.remove();
    });
    document.body.append(box);
    box.showModal();
    box.querySelector("[value=yes]").focus();
  });
}

/** Asks for a line of text; empty if it was cancelled. */
export function askText({ title, label, value = "", yes = "Save", multiline = false }) {
  return new Promise((decide) => {
    const input = el(multiline ? "textarea" : "input", { id: "ask-text", value, rows: multiline ? 4 : undefined, autocomplete: "off" });
    const box = el("dialog", { class: "modal confirm", aria: { labelledby: "ask-title" } },
      el("form", { method: "dialog" },
        el("header", {}, el("h2", { id: "ask-title", text: title })),
        el("div", { class: "modal-body field" }, el("label", { class: "label", for: "ask-text", text: label }), input),
        el("footer", {},
          el("button", { type: "button", class: "button", on: { click: () => box.close("") }, text: "Cancel" }),
          el("button", { class: "button primary", value: "yes", text: yes }))));
    box.addEventListener("close", () => {
      decide(box.returnValue === "yes" ? input.value.trim() : "");
      box.remove();
    });
    document.body.append(box);
    box.showModal();
    input.focus();
    input.select();
  });
}

/** Shows a value as JSON. */
export function showJson(title, value) {
  const box = el("dialog", { class: "modal wide", aria: { labelledby: "json-title" } },
    el("form", { method: "dialog" },
      el("header", {}, el("h2", { id: "json-title", text: title }),
        el("button", { class: "quiet", aria: { label: "Close" } }, icon("close"))),
      el("div", { class: "modal-body" }, el("pre", { class: "json", tabindex: "0", text: JSON.stringify(value, null, 2) }))));
  box.addEventListener("close", () => box.remove());
  document.body.append(box);
  box.showModal();
}
