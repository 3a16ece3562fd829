// Interactive elements. Each remembers what was entered under its place's key, and acts when it should.

import { el, icon, menu } from "./dom.js";
import { ask } from "./dialogs.js";
import { plain, textObject } from "./mrkdwn.js";
import { direct, entered, people, post, state } from "./store.js";

const words = (object) => (object ? plain(object.text) : "");

/** Renders an element that acts when it is used. */
export function element(item, block, place) {
  return draw(item, block, place, (value) => used(item, block, place, value));
}

/** Renders an input block: label, element, hint, error. */
export function field(block, place) {
  const item = block.element;
  const id = `f-${place.key}-${block.block_id}`;
  const control = draw(item, block, place, block.dispatch_action ? (value) => used(item, block, place, value) : null, id);
  const error = place.errors?.[block.block_id];
  const grouped = ["checkboxes", "radio_buttons"].includes(item.type) || item.type.startsWith("multi_");
  const label = el(grouped ? "span" : "label", { class: "label", for: grouped ? undefined : id },
    textObject(block.label), block.optional && el("small", { text: " (optional)" }));
  const target = control.matches?.("input,select,textarea") ? control : control.querySelector("input,select,textarea");
  if (target && error) {
    target.setAttribute("aria-invalid", "true");
    target.setAttribute("aria-describedby", `${id}-error`);
  }
  return el("div", { class: error ? "field wrong" : "field" }, label, control,
    error && el("p", { class: "error", id: `${id}-error`, data: { testid: "field-error" }, text: error }),
    block.hint && el("p", { class: "hint" }, textObject(block.hint)));
}

async function used(item, block, place, value) {
  if (item.confirm && !(await ask({
    title: words(item.confirm.title), body: textObject(item.confirm.text),
    yes: words(item.confirm.confirm) || "Yes", no: words(item.confirm.deny) || "Cancel", danger: item.confirm.style === "danger",
  }))) return;
  await place.act({ action_id: item.action_id, block_id: block.block_id, value, values: entered(place.key) });
}

function remember(place, block, item, value) {
  const kept = entered(place.key);
  kept[block.block_id] = { ...kept[block.block_id], [item.action_id]: value };
}

function recall(place, block, item, initial) {
  const kept = entered(place.key)[block.block_id];
  return kept && item.action_id in kept ? kept[item.action_id] : initial;
}

function draw(item, block, place, act, id) {
  const maker = MAKERS[item.type];
  if (!maker) return el("span", { class: "unsupported", data: { testid: "unsupported" }, text: `unsupported element: ${item.type}` });
  return maker({
    item, block, place, act, id,
    get: (initial) => recall(place, block, item, initial),
    set: (value) => remember(place, block, item, value),
    changed(value) {
      remember(place, block, item, value);
      act?.(value);
    },
  });
}

function button({ item, act }) {
  const node = el("button", {
    type: "button", class: `button ${item.style ?? ""}`, aria: item.accessibility_label ? { label: item.accessibility_label } : {},
    data: { testid: "button", action: item.action_id, value: item.value ?? "" },
  }, textObject(item.text), item.url && el("span", { class: "out", aria: { hidden: "true" }, text: "↗" }));
  node.addEventListener("click", async () => {
    if (item.url && /^https?:/i.test(item.url)) window.open(item.url, "_blank", "noopener,noreferrer");
    node.classList.add("busy");
    node.disabled = true;
    await act();
    node.disabled = false;
    node.classList.remove("busy");
  });
  return node;
}

function options(list, chosen) {
  return list.map((one) => el("option", { value: one.value, selected: one.value === chosen, text: words(one.text) }));
}

function select({ item, id, changed, get }) {
  const chosen = get(item.initial_option?.value);
  const groups = item.option_groups?.map((one) => el("optgroup", { label: words(one.label) }, options(one.options, chosen)));
  return chooser(item, id, groups ?? options(item.options ?? [], chosen), chosen, changed);
}

function chooser(item, id, rows, chosen, changed) {
  const empty = el("option", { value: "", disabled: true, hidden: true, text: words(item.placeholder) || "Choose" });
  // In a form its label names it; a name of its own would hide that one from screen readers.
  const named = id ? undefined : { label: words(item.placeholder) || "Choose" };
  const node = el("select", { id, class: "select", aria: named,
    data: { action: item.action_id }, on: { change: () => changed(node.value) } }, empty, rows);
  node.value = chosen ?? "";
  return node;
}

const LISTS = {
  users: () => people().map((one) => [one.id, one.real_name]),
  channels: () => [...state.channels.values()].filter((one) => one.kind === "public").map((one) => [one.id, `#${one.name}`]),
  conversations: () => [...state.channels.values()].filter((one) => one.kind !== "im" || one.id === direct()?.id)
    .map((one) => [one.id, one.kind === "im" ? state.users[state.bot]?.name : `#${one.name}`]),
};
const INITIAL = { users: "user", channels: "channel", conversations: "conversation" };

const listed = (kind) => ({ item, id, changed, get }) => {
  const chosen = get(item[`initial_${INITIAL[kind]}`]);
  return chooser(item, id, LISTS[kind]().map(([value, text]) => el("option", { value, text })), chosen, changed);
};

function many(rows, initial) {
  return (made) => {
    const { item, changed, get, set, act } = made;
    const chosen = new Set(get(initial(item)) ?? []);
    const summary = el("summary", { class: "select" });
    const name = () => {
      const picked = rows(item).filter(([value]) => chosen.has(value)).map(([, text]) => text);
      summary.textContent = picked.join(", ") || words(item.placeholder) || "Choose";
    };
    const boxes = rows(item).map(([value, text]) => el("label", {}, el("input", {
      type: "checkbox", checked: chosen.has(value),
      on: { change: (event) => {
        if (event.target.checked) chosen.add(value); else chosen.delete(value);
        set([...chosen]);
        name();
      } },
    }), text));
    name();
    const before = () => JSON.stringify([...chosen]);
    let last = before();
    const node = el("details", { class: "many", data: { action: item.action_id } }, summary, el("div", {}, boxes));
    node.addEventListener("toggle", () => {
      if (node.open) last = before();
      else if (act && before() !== last) changed([...chosen]);
    });
    return node;
  };
}

const optionRows = (item) => (item.options ?? item.option_groups?.flatMap((one) => one.options) ?? []).map((one) => [one.value, words(one.text)]);

function choices(type) {
  return ({ item, block, changed, get, place }) => {
    const initial = type === "radio" ? item.initial_option?.value : (item.initial_options ?? []).map((one) => one.value);
    const chosen = get(initial);
    const has = (value) => (type === "radio" ? chosen === value : chosen?.includes(value));
    const node = el("div", { class: "choices", role: type === "radio" ? "radiogroup" : "group" }, item.options.map((one) => el("label", {},
      el("input", { type, name: `${place.key}-${block.block_id}-${item.action_id}`, value: one.value, checked: has(one.value) }),
      el("span", {}, textObject(one.text), one.description && el("small", {}, textObject(one.description))))));
    node.addEventListener("change", () => {
      const on = [...node.querySelectorAll("input:checked")].map((one) => one.value);
      changed(type === "radio" ? on[0] : on);
    });
    return node;
  };
}

function overflow({ item, act }) {
  const node = el("button", { type: "button", class: "button overflow", aria: { label: "More choices", haspopup: "menu", expanded: "false" },
    data: { testid: "overflow", action: item.action_id } }, icon("more"));
  node.addEventListener("click", () => menu(node, item.options.map((one) => ({
    label: words(one.text), hint: words(one.description),
    run() {
      if (one.url && /^https?:/i.test(one.url)) window.open(one.url, "_blank", "noopener,noreferrer");
      act(one.value);
    },
  })), { label: "More choices" }));
  return node;
}

function typed(type) {
  return ({ item, id, set, act, get, changed }) => {
    const tag = item.multiline ? "textarea" : "input";
    const triggers = item.dispatch_action_config?.trigger_actions_on ?? ["on_enter_pressed"];
    const node = el(tag, {
      id, type: item.multiline ? undefined : type, rows: item.multiline ? 4 : undefined, placeholder: words(item.placeholder),
      maxlength: item.max_length, value: get(item.initial_value) ?? "", autofocus: item.focus_on_load, autocomplete: "off",
      data: { action: item.action_id },
      on: {
        input: () => { set(node.value); if (act && triggers.includes("on_character_entered")) changed(node.value); },
        keydown: (event) => {
          if (act && event.key === "Enter" && !item.multiline && triggers.includes("on_enter_pressed")) {
            event.preventDefault();
            changed(node.value);
          }
        },
      },
    });
    return node;
  };
}

function picker(type, initial, read = (value) => value, show = (value) => value ?? "") {
  return ({ item, id, changed, get }) => {
    const node = el("input", { id, type, class: "picker", value: show(get(item[initial])), aria: { label: words(item.placeholder) || type },
      data: { action: item.action_id }, on: { change: () => changed(node.value ? read(node.value) : null) } });
    return node;
  };
}

const local = (stamp) => {
  if (!stamp) return "";
  const date = new Date(stamp * 1000);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
};

const uploaded = new Map();

const encoded = (file) => new Promise((done) => {
  const reader = new FileReader();
  reader.addEventListener("load", () => done(reader.result.slice(reader.result.indexOf(",") + 1)));
  reader.readAsDataURL(file);
});

function files({ item, id, changed, get }) {
  const chosen = el("ul", { class: "files" });
  const show = (ids) => chosen.replaceChildren(...(ids ?? []).map((one) => el("li", { text: uploaded.get(one) ?? one })));
  const node = el("input", { id, type: "file", multiple: (item.max_files ?? 10) > 1, data: { action: item.action_id } });
  node.addEventListener("change", async () => {
    const ids = [];
    for (const file of [...node.files].slice(0, item.max_files ?? 10)) {
      const answer = await post("upload", { name: file.name, content: await encoded(file) });
      if (!answer.ok) continue;
      uploaded.set(answer.file.id, file.name);
      ids.push(answer.file.id);
    }
    changed(ids);
    show(ids);
  });
  show(get([]));
  return el("div", {}, node, chosen);
}

const MAKERS = {
  button,
  workflow_button: button,
  static_select: select,
  users_select: listed("users"),
  channels_select: listed("channels"),
  conversations_select: listed("conversations"),
  multi_static_select: many(optionRows, (item) => item.initial_options?.map((one) => one.value)),
  multi_users_select: many(LISTS.users, (item) => item.initial_users),
  multi_channels_select: many(LISTS.channels, (item) => item.initial_channels),
  multi_conversations_select: many(LISTS.conversations, (item) => item.initial_conversations),
  overflow,
  checkboxes: choices("checkbox"),
  radio_buttons: choices("radio"),
  datepicker: picker("date", "initial_date"),
  timepicker: picker("time", "initial_time"),
  datetimepicker: picker("datetime-local", "initial_date_time", (value) => Math.floor(new Date(value).getTime() / 1000), local),
  plain_text_input: typed("text"),
  email_text_input: typed("email"),
  url_text_input: typed("url"),
  number_input: typed("text"),
  file_input: files,
};
