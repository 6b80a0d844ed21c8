// The module of crates/text-web: texts go in by the buffer that `input` makes room in, and come out of the one at `output`.

/**
 * What the module exports.
 * @typedef {object} TextModule
 * @property {WebAssembly.Memory} memory
 * @property {(bytes: number) => number} input
 * @property {() => number} output
 * @property {() => number} markdown the bytes of the output: HTML
 * @property {() => number} open_block where the last block begins, in bytes
 * @property {(old: number) => number} diff the bytes of the output: lines of two texts, the first of `old` bytes
 * @property {() => number} client_new the number of a new client of a chat
 * @property {(client: number) => void} client_end
 * @property {(client: number) => number} client_apply the bytes of the output: what a frame changes, as JSON
 * @property {(client: number) => number} client_page the same of a page of messages
 */

/** @type {TextModule | null} */
let module = null;
/** @type {Set<() => void>} */
const waiting = new Set();
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Loads it; false if this browser can't. */
export async function loadText() {
  try {
    const { instance } = await WebAssembly.instantiateStreaming(fetch(new URL("./text.wasm", import.meta.url)));
    module = /** @type {any} */ (instance.exports);
  } catch (error) {
    console.warn("The module can't be loaded:", error);
    return false;
  }
  for (const act of waiting) act();
  waiting.clear();
  return true;
}

/** The module; null while it is not loaded. */
export function text() {
  return module;
}

/** Calls `act` when it is loaded; not at all if it is already. @param {() => void} act */
export function whenLoaded(act) {
  if (!module) waiting.add(act);
}

/** @param {TextModule} module @param {...(Uint8Array | string)} parts one after another; the bytes of the first */
export function give(module, ...parts) {
  const all = parts.map((part) => (typeof part === "string" ? encoder.encode(part) : part));
  let at = module.input(all.reduce((sum, { length }) => sum + length, 0));
  for (const bytes of all) {
    new Uint8Array(module.memory.buffer, at, bytes.length).set(bytes);
    at += bytes.length;
  }
  return all[0].length;
}

/** @param {TextModule} module @param {number} length */
export function take(module, length) {
  return decoder.decode(new Uint8Array(module.memory.buffer, module.output(), length));
}
