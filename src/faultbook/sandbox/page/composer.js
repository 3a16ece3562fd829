// The message box: Enter sends, @ and / complete, slash commands run.

import { el, fill, icon, note } from "./dom.js";
import { avatar } from "./messages.js";
import { people, post, state } from "./store.js";

/** Makes a message box. `target` gives {channel, thread, placeholder}. */
export function composer({ target, testid = "composer", sendid = "send", id }) {
  const input = el("textarea", { id, rows: 1, data: { testid }, enterkeyhint: "send", autocomplete: "off", spellcheck: "true",
    role: "combobox", aria: { autocomplete: "list", expanded: "false", label: "Message", controls: `${testid}-list` } });
  const list = el("div", { class: "complete", id: `${testid}-list`, role: "listbox", hidden: true });
  const send = el("button", { type: "submit", class: "send", data: { testid: sendid }, aria: { label: "Send" }, disabled: true }, icon("send"));
  const box = el("form", { class: "composer" }, list, input, send);
  const box_state = { items: [], at: 0, from: 0 };
  // What was typed outlives the box: the page draws itself anew when the workspace changes.
  const draft = `${state.me}:${target().channel}:${target().thread ?? ""}`;

  const size = () => {
    input.style.height = "auto";
    if (input.offsetParent) input.style.height = `${Math.min(input.scrollHeight, 180)}px`;
    send.disabled = !input.value.trim();
  };
  const grow = () => {
    size();
    state.drafts.set(draft, input.value);
  };
  const hide = () => {
    list.hidden = true;
    box_state.items = [];
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const choose = (item) => {
    const before = input.value.slice(0, box_state.from);
    const after = input.value.slice(input.selectionStart);
    input.value = `${before}${item.text} ${after.replace(/^ /, "")}`;
    const end = before.length + item.text.length + 1;
    input.setSelectionRange(end, end);
    hide();
    grow();
    input.focus();
  };
  const suggest = () => {
    const found = suggestions(input.value, input.selectionStart, target().thread);
    Object.assign(box_state, { items: found.items, from: found.from, at: 0 });
    if (!found.items.length) return hide();
    fill(list, found.items.map((item, index) => el("div", {
      role: "option", id: `${testid}-option-${index}`, aria: { selected: String(index === 0) },
      on: { pointerdown: (event) => { event.preventDefault(); choose(item); } },
    }, item.picture, el("strong", { text: item.text }), el("span", { class: "faint", text: item.hint }))));
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    mark(0);
  };
  const mark = (index) => {
    box_state.at = index;
    [...list.children].forEach((row, at) => row.setAttribute("aria-selected", String(at === index)));
    input.setAttribute("aria-activedescendant", `${testid}-option-${index}`);
  };
  const submit = async () => {
    const text = input.value.trim();
    if (!text) return;
    input.value = "";
    hide();
    grow();
    const failed = await say(text, target());
    if (failed) {
      note(failed, { bad: true });
      if (!input.value) input.value = text;
      grow();
    }
    input.focus();
  };

  input.addEventListener("input", () => { grow(); suggest(); });
  input.addEventListener("blur", hide);
  input.addEventListener("keydown", (event) => {
    if (box_state.items.length) {
      const count = box_state.items.length;
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        mark((box_state.at + (event.key === "ArrowDown" ? 1 : -1) + count) % count);
        return;
      }
      const item = box_state.items[box_state.at];
      const whole = input.value.slice(box_state.from, input.selectionStart) === item.text;
      if (event.key === "Tab" || (event.key === "Enter" && !whole)) {
        event.preventDefault();
        choose(item);
        return;
      }
      if (event.key === "Escape") {
        event.stopPropagation();
        hide();
        return;
      }
    }
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      submit();
    }
  });
  box.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  box.insert = (text) => { input.value = text; grow(); input.focus(); };
  box.focusInput = () => input.focus();
  /** Tells where the caret is, or null while something else has the focus. */
  box.caret = () => (document.activeElement === input ? [input.selectionStart, input.selectionEnd] : null);
  box.putCaret = (caret) => { input.focus(); input.setSelectionRange(...caret); };
  input.placeholder = target().placeholder;
  input.value = state.drafts.get(draft) ?? "";
  size();
  requestAnimationFrame(size); // its height is known once it is on the page
  return box;
}

async function say(text, { channel, thread }) {
  const command = /^(\/[a-z0-9_-]+)(?:\s+([\s\S]*))?$/.exec(text);
  if (!command) {
    const answer = await post("say", { channel, text, thread_ts: thread || undefined });
    return answer.ok ? "" : WORDS[answer.error] ?? answer.error;
  }
  if (thread) return "Slash commands don't work in threads. Mention the bot instead.";
  const [, name, rest = ""] = command;
  if (name === "/invite") {
    const answer = await post("join", { channel, user: rest.trim(), by: state.me });
    return answer.ok ? "" : `Nobody is called ${rest.trim() || "that"}.`;
  }
  const answer = await post("slash", { channel, command: name, text: rest });
  return answer.ok ? "" : WORDS[answer.error] ?? answer.error;
}

const WORDS = {
  not_in_channel: "You are not in this channel.",
  unknown_command: "The bot has no such command.",
  is_archived: "This channel is archived.",
  user_not_found: "Nobody is called that.",
};

function suggestions(text, caret, thread) {
  const before = text.slice(0, caret);
  const at = /(?:^|\s)@([a-z0-9._-]*)$/i.exec(before);
  if (at) {
    const wanted = at[1].toLowerCase();
    const bot = state.users[state.bot];
    const everybody = [bot, ...people().filter((one) => one.id !== state.me)].filter(Boolean)
      .map((one) => ({ text: `@${one.name}`, hint: one.id === bot?.id ? "app" : one.real_name, picture: avatar(one.id, one.real_name, "tiny") }));
    const groups = Object.values(state.groups).map((one) => ({ text: `@${one.handle}`, hint: one.name }));
    const items = [...everybody, ...groups].filter((one) => one.text.slice(1).startsWith(wanted)).slice(0, 7);
    return { items, from: caret - wanted.length - 1 };
  }
  if (!thread && /^\/[a-z0-9_-]*$/.test(before)) {
    const own = [...state.commands.map((one) => ({ text: one.command, hint: one.description })), { text: "/invite", hint: "Add somebody to this channel" }];
    return { items: own.filter((one) => one.text.startsWith(before)), from: 0 };
  }
  return { items: [], from: 0 };
}
