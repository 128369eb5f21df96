"use strict";

/**
 * The colour map of values: blue below zero, the background at zero, orange above. Blue and orange are safe for colour
 * blindness, and the contrast with the background grows with the magnitude.
 */
const Colours = (() => {
  const PALETTES = {
    light: ["#08306b", "#2f6fb3", "#9cc3e4", "#f7f5f0", "#f3b777", "#cf6d17", "#6e2c00"],
    dark: ["#cfe6ff", "#5ea4e8", "#23507f", "#191d22", "#7d4713", "#e88e35", "#ffe2bd"],
  };
  const BEND = 0.7; // below 1, so that small values stay visible beside a large one
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const tables = {};

  const parse = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));

  /** The colour table: 511 colours from -1 to 1, three bytes each. */
  function table() {
    const name = dark.matches ? "dark" : "light";
    if (!tables[name]) {
      const stops = PALETTES[name].map(parse);
      const bytes = new Uint8Array(511 * 3);
      for (let i = 0; i < 511; i++) {
        const at = (i / 510) * (stops.length - 1);
        const left = Math.min(Math.floor(at), stops.length - 2);
        for (let c = 0; c < 3; c++)
          bytes[3 * i + c] = stops[left][c] + (at - left) * (stops[left + 1][c] - stops[left][c]);
      }
      tables[name] = bytes;
    }
    return tables[name];
  }

  /** The magnitude with the strongest colour, shared by all maps of an array. */
  function strongest(array) {
    const [low, high] = array.range;
    return Math.max(Math.abs(low), Math.abs(high)) || 1;
  }

  /** The index of a value in the table; -1 if it is not finite. */
  function index(value, most) {
    if (!Number.isFinite(value)) return -1;
    const share = Math.min(1, Math.abs(value) / most) ** BEND;
    return Math.round(255 + 255 * Math.sign(value) * share);
  }

  /** The colour of a value, and a text colour with enough contrast. */
  function of(value, most) {
    const i = index(value, most);
    if (i < 0) return { paper: "#c2185b", ink: "#ffffff" };
    const [r, g, b] = table().subarray(3 * i, 3 * i + 3);
    const light = 0.299 * r + 0.587 * g + 0.114 * b > 140;
    return { paper: `rgb(${r} ${g} ${b})`, ink: light ? "#14171a" : "#ffffff" };
  }

  /**
   * The pixels of a map in its layout (see `Stage.layout`). The padding stays transparent.
   */
  function pixels(layout, numbers, most) {
    const image = new ImageData(layout.columns, layout.rows);
    const bytes = table();
    for (let cell = 0; cell < layout.places.length; cell++) {
      const place = layout.places[cell];
      if (place < 0) continue;
      const i = index(numbers[place], most);
      image.data[4 * cell] = i < 0 ? 194 : bytes[3 * i];
      image.data[4 * cell + 1] = i < 0 ? 24 : bytes[3 * i + 1];
      image.data[4 * cell + 2] = i < 0 ? 91 : bytes[3 * i + 2];
      image.data[4 * cell + 3] = 255;
    }
    return image;
  }

  /** The pixels of an image of bytes, (1, H, W) or (3, H, W). */
  function photograph(array) {
    const [channels, height, width] = array.shape;
    const image = new ImageData(width, height);
    const plane = width * height;
    for (let i = 0; i < plane; i++) {
      for (let c = 0; c < 3; c++) image.data[4 * i + c] = array.values[(channels === 1 ? 0 : c * plane) + i];
      image.data[4 * i + 3] = 255;
    }
    return image;
  }

  /** Call `listener` when the colour scheme changes. */
  const onChange = (listener) => dark.addEventListener("change", listener);

  return { strongest, of, pixels, photograph, onChange };
})();
