// What the page knows, how it asks, and how it hears of changes.

const listeners = new Map();

/** Everything the page shows is drawn from here. */
export const state = {
  me: "", bot: "", users: {}, groups: {}, channels: new Map(), commands: [], shortcuts: [], prompts: {},
  connected: 0, http: false, homeTab: true,
  current: "", tab: "messages", thread: "", lastRead: {},
  messages: new Map(), ephemerals: new Map(), statuses: new Map(),
  stack: [], errors: {}, home: null, values: new Map(), drafts: new Map(), wire: [],
};

/** Calls a function at each change of a kind. */
export function on(kind, run) {
  listeners.set(kind, [...(listeners.get(kind) ?? []), run]);
}

/** Announces a change. */
export function tell(kind, detail) {
  for (const run of listeners.get(kind) ?? []) run(detail);
}

/** Does something as the acting person; gives the answer, `ok: false` on refusal. */
export async function post(act, body = {}) {
  try {
    const response = await fetch(`/_control/${act}`, {
      method: "POST", headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ user: state.me, ...body }),
    });
    return await response.json();
  } catch {
    return { ok: false, error: "The workspace is not running." };
  }
}

// While something is read anew, changes wait, so that what was read can't overwrite them.
let reading = 0;
const waiting = [];

async function read(look, query, take) {
  reading += 1;
  try {
    const response = await fetch(`/_control/${look}?${new URLSearchParams(query)}`);
    take(await response.json());
  } finally {
    reading -= 1;
    if (!reading) for (const change of waiting.splice(0)) HANDLERS[change.kind]?.(change);
  }
}

/** Reads the directory, modals and Home anew for the acting person. */
export async function loadState() {
  await read("state", { user: state.me }, (seen) => Object.assign(state, {
    bot: seen.bot, users: seen.users, groups: seen.groups, commands: seen.commands, shortcuts: seen.shortcuts,
    prompts: seen.prompts, connected: seen.connected, http: seen.http, homeTab: seen.home_tab,
    home: seen.home, stack: seen.stack, errors: seen.errors,
    channels: new Map(seen.channels.map((one) => [one.id, one])),
  }));
}

/** Reads a conversation's messages anew. */
export async function loadMessages(channel) {
  await read("messages", { channel, user: state.me }, (seen) => {
    state.messages.set(channel, new Map(seen.messages.map((one) => [one.ts, one])));
    state.ephemerals.set(channel, new Map(seen.ephemerals.map((one) => [one.ts, one])));
  });
}

/** Reads the wire log's past. */
export async function loadWire() {
  await read("wire", {}, (seen) => { state.wire = seen.entries; });
}

/** Reads what one entry of the wire log carried; changes bring only its beginning. */
export async function wireBody(entry) {
  let body = entry.body;
  await read("wire", { after: entry.n - 1, most: 1 }, (seen) => {
    if (seen.entries[0]?.n === entry.n) body = seen.entries[0].body;
  });
  return body;
}

/** Opens the acting person's conversation with the bot. */
export const direct = () => [...state.channels.values()].find((one) => one.kind === "im" && one.user === state.me);

/** Lists who can be acted as. */
export const people = () => Object.values(state.users).filter((one) => !one.is_bot && !one.deleted);

/** Gives what was entered in a view or message so far, by block and action id. */
export function entered(key) {
  if (!state.values.has(key)) state.values.set(key, {});
  return state.values.get(key);
}

const HANDLERS = {
  message({ channel, message }) {
    const known = state.messages.get(channel);
    const fresh = !known?.has(message.ts);
    known?.set(message.ts, message);
    tell("message", { channel, message, fresh });
  },
  deleted({ channel, ts }) {
    state.messages.get(channel)?.delete(ts);
    tell("deleted", { channel, ts });
  },
  ephemeral({ user, message }) {
    if (user !== state.me) return;
    if (!state.ephemerals.has(message.channel)) state.ephemerals.set(message.channel, new Map());
    state.ephemerals.get(message.channel).set(message.ts, message);
    tell("message", { channel: message.channel, message, fresh: true });
  },
  ephemeral_gone({ user, ts }) {
    if (user !== state.me) return;
    for (const [channel, kept] of state.ephemerals) if (kept.delete(ts)) tell("deleted", { channel, ts });
  },
  views({ user, stack, errors }) {
    if (user !== state.me) return;
    Object.assign(state, { stack, errors });
    tell("views");
  },
  home({ user, view }) {
    if (user !== state.me) return;
    state.home = view;
    tell("home");
  },
  status(change) {
    const key = `${change.channel}:${change.thread_ts}`;
    if (change.status) state.statuses.set(key, change); else state.statuses.delete(key);
    tell("status");
  },
  prompts({ channel, title, prompts }) {
    state.prompts[channel] = { title, prompts };
    tell("prompts");
  },
  bot({ connected }) {
    state.connected = connected;
    tell("bot");
  },
  async directory() {
    await loadState();
    tell("directory");
  },
  wire({ entry }) {
    if (entry.n <= (state.wire.at(-1)?.n ?? 0)) return;
    state.wire.push(entry);
    if (state.wire.length > 1000) state.wire.shift();
    tell("wire", entry);
  },
};

/** Listens for changes, from when the promise is kept; after a break everything is read anew. */
export function listen(again) {
  let ready;
  const opened = new Promise((done) => { ready = done; });
  const source = new EventSource("/_control/stream");
  let broken = false;
  source.addEventListener("message", (event) => {
    const change = JSON.parse(event.data);
    if (reading) waiting.push(change);
    else HANDLERS[change.kind]?.(change);
  });
  source.addEventListener("error", () => {
    broken = true;
    tell("line", false);
  });
  source.addEventListener("open", () => {
    if (broken) {
      state.wire = [];
      again();
    }
    broken = false;
    tell("line", true);
    ready();
  });
  return opened;
}
