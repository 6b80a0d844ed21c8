// The one store. Views watch parts of it and draw them. What a person does writes to it, and the connection.

/** @typedef {import("./types.js").State} State */

/** @type {State} */
const state = {
  about: null,
  user: null,
  isReady: false,
  workspaces: [],
  workspaceId: null,
  chats: [],
  moreChats: null,
  showsArchived: false,
  models: [],
  modelId: null,
  chatId: null,
  chatName: "",
  isOpening: false,
  messages: [],
  siblings: new Map(),
  hasOlder: false,
  runningId: null,
  waiting: [],
  files: [],
  transfers: [],
  connection: "none",
  isSidebarOpen: false,
  isPanelOpen: false,
  isPanelWide: false,
  fileId: null,
  isComposing: false,
  selectedFile: null,
  dialog: null,
  editing: null,
  target: null,
  level: "user",
  notes: [],
};

/** @type {Set<() => void>} */
const watchers = new Set();
let isQueued = false;
/** How what is made now, and what it makes when it draws, is ended. @type {Set<() => void> | null} */
let scope = null;

/** What is there now; not to be written to. @returns {Readonly<State>} */
export function get() {
  return state;
}

/** Changes a part; those who watch it draw before the browser does. @param {Partial<State>} change */
export function set(change) {
  Object.assign(state, change);
  if (isQueued) return;
  isQueued = true;
  queueMicrotask(() => {
    isQueued = false;
    // One may have ended another.
    for (const watcher of [...watchers]) if (watchers.has(watcher)) watcher();
  });
}

/** @template T @param {Set<() => void> | null} own @param {() => T} act @returns {T} */
function within(own, act) {
  const before = scope;
  scope = own;
  try {
    return act();
  } finally {
    scope = before;
  }
}

/**
 * Makes something that goes some day: what was made, and how all is ended that watches for it.
 * @template T @param {() => T} make @returns {[T, () => void]}
 */
export function scoped(make) {
  /** @type {Set<() => void>} */
  const own = new Set();
  const end = () => {
    for (const act of own) act();
    own.clear();
  };
  return [within(own, make), end];
}

/** Calls `act` when what is made now goes. @param {() => void} act */
export function atEnd(act) {
  scope?.add(act);
}

/**
 * Calls `draw` now, and again whenever one of the values that `select` takes out of the store is another one.
 * Returns how to end that; what is made by `scoped` ends with that.
 * @template {readonly unknown[]} T
 * @param {(state: Readonly<State>) => [...T]} select
 * @param {(...values: NoInfer<[...T]>) => void} draw
 */
export function watch(select, draw) {
  const own = scope;
  let before = select(state);
  const look = () => {
    const now = select(state);
    if (now.every((value, at) => Object.is(value, before[at]))) return;
    before = now;
    within(own, () => draw(...now));
  };
  const end = () => {
    watchers.delete(look);
    own?.delete(end);
  };
  watchers.add(look);
  own?.add(end);
  draw(...before);
  return end;
}

/** Waits until something is so. @param {(state: Readonly<State>) => boolean} is @returns {Promise<void>} */
export function when(is) {
  return new Promise((resolve) => {
    const look = () => {
      if (!is(state)) return;
      watchers.delete(look);
      resolve();
    };
    watchers.add(look);
    look();
  });
}
