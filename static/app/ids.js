// Ids that this page makes.

/** 128 random bits in hex. Not `crypto.randomUUID`, which only pages with TLS and those of this machine have. */
export function newId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
