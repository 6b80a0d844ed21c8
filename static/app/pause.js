// How long is waited before a lost connection is opened again: each time twice as long, and not all windows at once.

export class Pause {
  /** @param {number} first @param {number} longest In milliseconds. */
  constructor(first, longest) {
    this.first = first;
    this.longest = longest;
    this.current = first;
  }

  /** The next one, in milliseconds. */
  next() {
    const pause = this.current * (0.75 + Math.random() / 2);
    this.current = Math.min(this.current * 2, this.longest);
    return pause;
  }

  /** The connection works. */
  reset() {
    this.current = this.first;
  }
}
