// Block Kit to nodes. A place says where blocks stand: {key, act, errors, blocks}.

import { el } from "./dom.js";
import { emoji } from "./emoji.js";
import { element, field } from "./inputs.js";
import { broadcastNode, channelNode, groupNode, linkNode, mrkdwn, textObject, userNode } from "./mrkdwn.js";
import { dateToken } from "./dates.js";

const FOLD = 260;

const BLOCKS = {
  section,
  divider: () => el("hr", { class: "divider" }),
  header: (block) => el("h3", { class: "header" }, textObject(block.text)),
  context: (block) => el("div", { class: "context" }, block.elements.map((one) =>
    one.type === "image" ? picture(one, "small") : el("span", {}, textObject(one)))),
  actions: (block, place) => el("div", { class: "actions" }, block.elements.map((one) => element(one, block, place))),
  context_actions: (block, place) => el("div", { class: "actions" }, block.elements.map((one) => element(one, block, place))),
  image: (block) => el("figure", {}, block.title && el("figcaption", {}, textObject(block.title)), picture(block)),
  input: field,
  rich_text: (block) => el("div", { class: "rich" }, block.elements.map(richPart)),
  markdown: (block) => el("div", { class: "rich verbatim" }, block.text),
  alert: (block) => el("div", { class: "alert" }, block.text ? textObject(block.text) : ""),
};

/** Renders blocks for a place. */
export function renderBlocks(blocks, place) {
  return blocks.map((block) => {
    const draw = BLOCKS[block.type];
    try {
      const node = draw ? draw(block, place) : unsupported("block", block.type);
      node.dataset.blockId = block.block_id ?? "";
      return node;
    } catch (error) {
      return el("p", { class: "unsupported", text: `This ${block.type} block can't be shown: ${error.message}` });
    }
  });
}

/** Shows that something is not known to this page. */
export function unsupported(what, type) {
  return el("p", { class: "unsupported", data: { testid: "unsupported" }, text: `unsupported ${what}: ${type}` });
}

function section(block, place) {
  const words = block.text && el("div", { class: "text" }, textObject(block.text));
  const fields = block.fields && el("div", { class: "fields" }, block.fields.map((one) => el("div", {}, textObject(one))));
  const body = el("div", { class: "words" }, words, fields);
  if (words && !block.expand) foldWhenTall(words);
  const side = block.accessory && el("div", { class: "accessory" },
    block.accessory.type === "image" ? picture(block.accessory, "thumb") : element(block.accessory, block, place));
  return el("div", { class: "section" }, body, side);
}

function foldWhenTall(words) {
  requestAnimationFrame(() => {
    if (words.scrollHeight <= FOLD + 60) return;
    words.classList.add("folded");
    const more = el("button", {
      type: "button", class: "link", text: "See more",
      on: { click: () => {
        const folded = words.classList.toggle("folded");
        more.textContent = folded ? "See more" : "See less";
      } },
    });
    words.after(more);
  });
}

// Nothing is loaded from elsewhere: an image is a box with its description.
function picture(image, size = "large") {
  const where = image.image_url ?? image.slack_file?.url ?? "";
  return el("span", { class: `picture ${size}`, role: "img", title: where, aria: { label: image.alt_text } },
    el("span", { aria: { hidden: "true" }, text: image.alt_text || "image" }));
}

const RICH = {
  rich_text_section: (part) => el("div", {}, part.elements.map(richBit)),
  rich_text_quote: (part) => el("blockquote", {}, part.elements.map(richBit)),
  rich_text_preformatted: (part) => el("pre", {}, part.elements.map((bit) => bit.text ?? bit.url ?? "")),
  rich_text_list: (part) => el(part.style === "ordered" ? "ol" : "ul", { class: `indent${part.indent ?? 0}` },
    part.elements.map((one) => el("li", {}, one.elements.map(richBit)))),
};

function richPart(part) {
  return RICH[part.type] ? RICH[part.type](part) : unsupported("rich text", part.type);
}

const BITS = {
  text: (bit) => bit.text.split("\n").flatMap((line, index) => (index ? [el("br"), line] : [line])),
  link: (bit) => linkNode(bit.url, bit.text || bit.url),
  user: (bit) => userNode(bit.user_id),
  channel: (bit) => channelNode(bit.channel_id),
  usergroup: (bit) => groupNode(bit.usergroup_id),
  broadcast: (bit) => broadcastNode(bit.range),
  emoji: (bit) => emoji(bit.name) ?? `:${bit.name}:`,
  color: (bit) => el("code", { text: bit.value }),
  date: (bit) => dateToken(`${bit.timestamp}^${bit.format}${bit.url ? `^${bit.url}` : ""}`, bit.fallback ?? "", linkNode),
};
const STYLE = { bold: "strong", italic: "em", strike: "s", code: "code", underline: "u" };

function richBit(bit) {
  if (!BITS[bit.type]) return unsupported("rich text", bit.type);
  const inner = [BITS[bit.type](bit)].flat();
  return Object.entries(bit.style ?? {}).reduce((nodes, [name, set]) =>
    (set && STYLE[name] ? [el(STYLE[name], {}, nodes)] : nodes), inner);
}

/** Renders what a message says: its blocks, or its text, and its attachments and files. */
export function renderMessage(message, place) {
  const body = message.blocks?.length ? renderBlocks(message.blocks, place) : [el("div", { class: "text" }, mrkdwn(message.text ?? ""))];
  const attached = (message.attachments ?? []).map((one) => el("div", { class: "attachment" },
    one.pretext && el("div", {}, mrkdwn(one.pretext)),
    one.title && el("strong", { text: one.title }),
    one.text && el("div", {}, mrkdwn(one.text)),
    one.blocks && renderBlocks(one.blocks, place),
    !one.text && !one.blocks && one.fallback));
  const files = (message.files ?? []).map((file) => el("a", { class: "file", href: `/files-pri/${file.id}`, download: file.name },
    el("strong", { text: file.title || file.name }), el("small", { text: `${file.name} · ${size(file.size)}` })));
  return [...body, ...attached, ...files];
}

function size(bytes) {
  if (bytes < 1000) return `${bytes} bytes`;
  return bytes < 1e6 ? `${(bytes / 1000).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
