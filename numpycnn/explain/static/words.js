"use strict";

/** Create elements and format numbers and shapes. Text is inserted as text, never as HTML. */
const Words = (() => {
  const MINUS = "\u2212";
  const TIMES = "\u00d7";

  /**
   * An element: make("p", { class: "note", text: "..." }, child, ...).
   * A function adds a listener, `text` sets the text, `data` sets data attributes, anything else an attribute.
   */
  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value === null || value === undefined || value === false) continue;
      if (name === "text") element.textContent = value;
      else if (name === "data") Object.assign(element.dataset, value);
      else if (typeof value === "function") element.addEventListener(name, value);
      else element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...children.filter((child) => child !== null && child !== undefined));
    return element;
  }

  /** Isolate untrusted text from the text around it, which right-to-left text would reorder. */
  const apart = (text) => `\u2068${text}\u2069`;

  /** Format a number in a few characters: 0.123, −12.35, 1.2e−7. */
  function short(value) {
    if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "\u221e" : MINUS + "\u221e";
    const size = Math.abs(value);
    if (size === 0) return "0";
    if (size < 0.0005 || size >= 1e5) return value.toExponential(1).replaceAll("-", MINUS).replace("+", "");
    return value.toFixed(size < 10 ? 3 : size < 100 ? 2 : size < 1000 ? 1 : 0).replace("-", MINUS);
  }

  /** Format a number with six decimals, so that sums can be checked by hand; fewer for a large one. */
  function exact(value) {
    if (!Number.isFinite(value)) return short(value);
    const size = Math.abs(value);
    if (size >= 1e6 || (size > 0 && size < 1e-6)) return value.toExponential(3).replaceAll("-", MINUS).replace("+", "");
    return value.toFixed(6).replace("-", MINUS);
  }

  /** An element with a formatted number and its exact value: <data value="0.12345678">0.123</data>. */
  function figure(value, format = short, name = null) {
    return make("data", { value: String(value), text: format(value), data: name ? { name } : {} });
  }

  /** Set the number of such an element. */
  function set(element, value, format = short) {
    element.value = String(value);
    element.textContent = format(value);
  }

  /** Format a setting: 2, 0.01. */
  const plain = (value) => String(Number(value.toPrecision(6))).replace("-", MINUS);

  const shape = (sizes) => (sizes.length ? sizes.join(` ${TIMES} `) : "1");
  const count = (number) => number.toLocaleString("en-US");
  const percent = (share) => (share > 0.9995 && share < 1 ? ">99.9 %" : `${(100 * share).toFixed(1)} %`);
  const signed = (value) => (value < 0 ? `(${short(value)})` : short(value));

  /** Format a count with its noun: 1 map, 3 maps. */
  const plural = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;

  /** Format the position of a value in its map, counted from 0. */
  function place(array, at) {
    if (array.isVector) return array.words ? `word ${at}, \u201c${apart(array.words[at])}\u201d` : `number ${at}`;
    const names = { 1: ["position"], 2: ["row", "column"], 3: ["slice", "row", "column"] }[array.size.length];
    const indices = array.indices(at);
    return indices.map((index, axis) => `${names ? names[axis] : `axis ${axis + 1}`} ${index}`).join(", ");
  }

  const SHAPES = {
    first: "M5 4v16M19 5 9 12l10 7z",
    back: "M16 5 6 12l10 7z",
    play: "M7 4l13 8-13 8z",
    pause: "M8 5v14M16 5v14",
    step: "M8 5l10 7-10 7z",
    last: "M19 4v16M5 5l10 7-10 7z",
    close: "M6 6l12 12M18 6 6 18",
  };

  /** An icon for a button; the button needs its own label. */
  function icon(name) {
    const space = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(space, "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    const path = document.createElementNS(space, "path");
    path.setAttribute("d", SHAPES[name]);
    svg.append(path);
    return svg;
  }

  return {
    MINUS,
    TIMES,
    make,
    apart,
    short,
    exact,
    figure,
    set,
    plain,
    shape,
    count,
    percent,
    signed,
    plural,
    place,
    icon,
  };
})();
