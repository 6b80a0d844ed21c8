// A long list of which only what is near the visible part is in the page; the rest is two empty boxes of its height. What
// is visible stays where it is, whatever is added, measured or grows above it.

import { keyed } from "./dom.js";

/** Pixels above and below the visible part that are in the page, too. */
const MARGIN = 1200;
/** What of that may be used up before more is drawn. */
const SLACK = 500;
/** The height of what was never measured, until something was. */
const GUESS = 140;
/** Pixels from the end that still are the end. */
const NEAR = 60;

/** @template T */
export class ListWindow {
  /** @type {readonly T[]} */
  #items = [];
  /** The part that is in the page. */
  #from = 0;
  #to = 0;
  /** Measured heights, by key. @type {Map<string, number>} */
  #heights = new Map();
  #total = 0;
  #width = 0;
  /** What is visible first, and how far below the upper edge. @type {{element: HTMLElement, top: number} | null} */
  #anchor = null;
  /** Where the view was when it was looked at last, and how long the whole was. */
  #top = 0;
  #length = 0;
  isAtEnd = true;

  /**
   * @param {HTMLElement} scroller @param {(item: T) => string} key @param {(item: T) => HTMLElement} make
   * @param {(element: HTMLElement, item: T) => void} update
   */
  constructor(scroller, key, make, update) {
    this.scroller = scroller;
    this.key = key;
    this.make = make;
    this.update = update;
    this.above = document.createElement("div");
    this.list = document.createElement("div");
    this.below = document.createElement("div");
    this.list.className = "messages";
    const settle = new ResizeObserver(() => this.settle());
    for (const element of [scroller, this.list]) settle.observe(element);
  }

  /** Takes these items, and draws what is near the visible part. @param {readonly T[]} items */
  show(items) {
    this.#items = items;
    this.#look();
    this.#draw();
  }

  /** After a scroll: draws what has come near. */
  scrolled() {
    this.#look();
    const { top, bottom } = this.scroller.getBoundingClientRect();
    const { top: first, bottom: last } = this.list.getBoundingClientRect();
    const lacks = (this.#from > 0 && first > top - SLACK) || (this.#to < this.#items.length && last < bottom + SLACK);
    if (lacks) this.#draw();
  }

  /** Keeps the end, or what is visible, where it is, after something has another height. */
  settle() {
    const width = this.list.clientWidth;
    if (width !== this.#width) {
      this.#width = width;
      this.#heights.clear();
      this.#total = 0;
      this.#draw();
      return;
    }
    this.#look();
    this.#measure();
    this.#stay();
  }

  /** Brings an item into the middle; its element. @param {string} key */
  reveal(key) {
    const at = this.#items.findIndex((item) => this.key(item) === key);
    if (at < 0) return null;
    this.isAtEnd = false;
    this.#anchor = null;
    this.#move(this.above.offsetTop + this.#sum(0, at) - this.scroller.clientHeight / 3);
    this.#draw();
    const element = /** @type {HTMLElement} */ (this.list.children[at - this.#from]);
    element?.scrollIntoView({ block: "center" });
    this.#move(this.scroller.scrollTop);
    this.#drop();
    return element ?? null;
  }

  #draw() {
    this.#choose();
    const { list } = this;
    keyed(list, this.#items.slice(this.#from, this.#to), this.key, this.make, this.update);
    this.#measure();
    this.above.style.height = `${this.#sum(0, this.#from)}px`;
    this.below.style.height = `${this.#sum(this.#to, this.#items.length)}px`;
    this.#stay();
  }

  /** Sees where one has scrolled to, also before the browser says so: what grows below moves nothing, and what shrinks is no
   * wish; only who scrolls up leaves the end. */
  #look() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    if (scrollTop === this.#top) return;
    if (scrollHeight - scrollTop - clientHeight < NEAR) this.isAtEnd = true;
    else if (scrollTop < this.#top && scrollHeight >= this.#length) this.isAtEnd = false;
    [this.#top, this.#length] = [scrollTop, scrollHeight];
    this.#drop();
  }

  /** @param {number} top */
  #move(top) {
    this.scroller.scrollTop = top;
    [this.#top, this.#length] = [this.scroller.scrollTop, this.scroller.scrollHeight];
  }

  /** Chooses what is to be in the page. */
  #choose() {
    const count = this.#items.length;
    const { clientHeight: view, scrollTop } = this.scroller;
    if (this.isAtEnd) {
      let [from, height] = [count, 0];
      while (from > 0 && height < view + MARGIN) height += this.#height(--from);
      [this.#from, this.#to] = [from, count];
      return;
    }
    // From what is visible and stays, or from where the scroll bar is.
    const key = this.#isNear() ? this.#anchor?.element.dataset.key : undefined;
    let middle = key === undefined ? -1 : this.#items.findIndex((item) => this.key(item) === key);
    /** How far below the upper edge it begins. */
    let top = this.#anchor?.top ?? 0;
    if (middle < 0) {
      middle = 0;
      top = this.above.offsetTop - scrollTop;
      while (middle < count - 1 && top + this.#height(middle) < 0) top += this.#height(middle++);
    }
    let [from, to, upper, lower] = [middle, middle, top, top];
    while (from > 0 && upper > -MARGIN) upper -= this.#height(--from);
    while (to < count && lower < view + MARGIN) lower += this.#height(to++);
    [this.#from, this.#to] = [from, to];
  }

  /** Whether the anchor is still about where one looks: not after a jump of the scroll bar. */
  #isNear() {
    const { top, bottom } = this.scroller.getBoundingClientRect();
    const { element } = this.#anchor ?? {};
    const place = element?.isConnected ? element.getBoundingClientRect() : undefined;
    return place !== undefined && place.bottom > top - MARGIN && place.top < bottom + MARGIN;
  }

  /** Keeps the end visible, or moves the view by what the anchor has moved. */
  #stay() {
    const { element, top } = this.#anchor ?? {};
    if (this.isAtEnd) {
      this.#move(this.scroller.scrollHeight);
    } else if (element?.isConnected && top !== undefined) {
      const moved = element.getBoundingClientRect().top - this.scroller.getBoundingClientRect().top - top;
      if (Math.abs(moved) >= 0.5) this.#move(this.scroller.scrollTop + moved);
    }
    this.#drop();
  }

  /** Takes what is visible first for the anchor. */
  #drop() {
    const { top } = this.scroller.getBoundingClientRect();
    this.#anchor = null;
    for (const element of /** @type {Iterable<HTMLElement>} */ (this.list.children)) {
      const place = element.getBoundingClientRect();
      if (place.bottom <= top) continue;
      this.#anchor = { element, top: place.top - top };
      return;
    }
  }

  #measure() {
    for (const element of /** @type {Iterable<HTMLElement>} */ (this.list.children)) {
      const key = element.dataset.key ?? "";
      const height = element.getBoundingClientRect().height;
      this.#total += height - (this.#heights.get(key) ?? 0);
      this.#heights.set(key, height);
    }
  }

  /** @param {number} at */
  #height(at) {
    const guess = this.#heights.size > 0 ? this.#total / this.#heights.size : GUESS;
    return this.#heights.get(this.key(this.#items[at])) ?? guess;
  }

  /** @param {number} from @param {number} to */
  #sum(from, to) {
    let sum = 0;
    for (let at = from; at < to; at += 1) sum += this.#height(at);
    return sum;
  }
}
