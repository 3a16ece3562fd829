// Building the page out of nodes. Text from outside only ever becomes text nodes.

const SVG = "http://www.w3.org/2000/svg";

/** Makes an element. Properties: class, text, on (listeners), data, aria, and plain attributes. */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "class") node.className = value;
    else if (name === "text") node.textContent = value;
    else if (name === "on") for (const [kind, run] of Object.entries(value)) node.addEventListener(kind, run);
    else if (name === "data") Object.assign(node.dataset, value);
    else if (name === "aria") for (const [key, one] of Object.entries(value)) node.setAttribute(`aria-${key}`, one);
    else if (name === "value") node.value = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  add(node, children);
  return node;
}

/** Appends children: nodes, strings, nested lists; empty ones are left out. */
export function add(node, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    node.append(child);
  }
  return node;
}

/** Replaces what a node holds. */
export function fill(node, ...children) {
  node.replaceChildren();
  return add(node, children);
}

/** Makes a drawing from shapes given as [tag, attributes]. */
export function drawing(shapes, { size = 16, label = "" } = {}) {
  const root = document.createElementNS(SVG, "svg");
  root.setAttribute("viewBox", "0 0 24 24");
  root.setAttribute("width", size);
  root.setAttribute("height", size);
  if (label) {
    root.setAttribute("role", "img");
    root.setAttribute("aria-label", label);
  } else root.setAttribute("aria-hidden", "true");
  for (const [tag, attributes] of shapes) {
    const shape = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) shape.setAttribute(name, value);
    root.append(shape);
  }
  return root;
}

const LINE = { fill: "none", stroke: "currentColor", "stroke-width": "2", "stroke-linecap": "round", "stroke-linejoin": "round" };
const ICONS = {
  menu: "M4 7h16M4 12h16M4 17h16",
  close: "M6 6l12 12M18 6L6 18",
  back: "M14 6l-6 6 6 6",
  send: "M5 12h13M12 5l7 7-7 7",
  reply: "M4 5h16v11H10l-5 4v-4H4z",
  more: "M6 12h.01M12 12h.01M18 12h.01",
  smile: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM9 10h.01M15 10h.01M8.5 14.5c2 2 5 2 7 0",
  eye: "M2.5 12s3.5-6.5 9.5-6.5S21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 14.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z",
  bolt: "M13 3L5 14h6l-1 7 8-11h-6z",
  wire: "M4 8h13l-3-3M20 16H7l3 3",
  hash: "M9 4L7 20M17 4l-2 16M4 9h17M3 15h17",
  lock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  chevron: "M7 10l5 5 5-5",
};

/** Draws one of the page's own icons. */
export function icon(name, size = 18) {
  const heavy = name === "more" ? { "stroke-width": "3.4" } : {};
  return drawing([["path", { d: ICONS[name], ...LINE, ...heavy }]], { size });
}

/** Tells whether this is a narrow screen. */
export const narrow = () => matchMedia("(max-width: 760px)").matches;

/** Makes a small menu under a button; items are {label, hint, run, danger} or null for a rule. */
export function menu(anchor, items, { label }) {
  document.querySelector(".menu")?.remove();
  const close = () => {
    list.remove();
    document.removeEventListener("pointerdown", outside, true);
    anchor.setAttribute("aria-expanded", "false");
  };
  const outside = (event) => { if (!list.contains(event.target)) close(); };
  const rows = items.map((item) => item === null
    ? el("hr")
    : el("button", {
        type: "button", role: "menuitem", class: item.danger ? "danger" : "",
        on: { click: () => { close(); item.run(); } },
      }, el("span", {}, item.label), item.hint && el("small", { text: item.hint })));
  const list = el("div", { class: "menu", role: "menu", aria: { label } }, rows);
  list.addEventListener("keydown", (event) => {
    const buttons = [...list.querySelectorAll("button")];
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      const at = buttons.indexOf(document.activeElement);
      buttons[(at + step + buttons.length) % buttons.length].focus();
    } else if (event.key === "Escape" || event.key === "Tab") {
      event.stopPropagation();
      close();
      anchor.focus();
    }
  });
  (anchor.closest("dialog") ?? document.body).append(list);
  place(list, anchor);
  anchor.setAttribute("aria-expanded", "true");
  document.addEventListener("pointerdown", outside, true);
  list.querySelector("button")?.focus();
}

/** Puts a floating node next to its anchor, inside the window. */
export function place(node, anchor) {
  const at = anchor.getBoundingClientRect();
  const { offsetWidth: wide, offsetHeight: high } = node;
  const below = at.bottom + high + 8 < innerHeight;
  node.style.top = `${Math.max(8, below ? at.bottom + 4 : at.top - high - 4)}px`;
  node.style.left = `${Math.max(8, Math.min(at.left, innerWidth - wide - 8))}px`;
}

/** Shows a passing note at the bottom of the page. */
export function note(text, { bad = false } = {}) {
  const shown = el("p", { class: bad ? "note bad" : "note", text });
  document.getElementById("notes").append(shown);
  setTimeout(() => shown.remove(), bad ? 7000 : 3500);
}
