"use strict";

/** The numbers of the page: arrays decoded when they are first asked for, and layers that know where they stand. */
const Data = (() => {
  function bytes(text) {
    const raw = atob(text);
    const found = new Uint8Array(raw.length);
    for (let i = 0; i < raw.length; i++) found[i] = raw.charCodeAt(i);
    return found;
  }

  /**
   * An array of one example, (C, ...size), of which some channels may be left out of the page.
   * A plain row of numbers (C,) counts as one map of C places.
   */
  class Numbers {
    constructor({ shape, channels, kind, data }) {
      this.shape = shape;
      this.isVector = shape.length < 2;
      this.size = this.isVector ? [shape[0] ?? 1] : shape.slice(1);
      this.count = this.size.reduce((a, b) => a * b, 1); // numbers in a map
      this.maps = this.isVector ? 1 : shape[0];
      this.kept = this.isVector ? [0] : (channels ?? Array.from({ length: shape[0] }, (_, i) => i));
      this.slots = new Map(this.kept.map((channel, slot) => [channel, slot]));
      this.kind = kind;
      this.text = data;
    }

    get values() {
      if (!this.decoded) {
        const raw = bytes(this.text);
        this.decoded = this.kind === "uint8" ? raw : new Float32Array(raw.buffer);
        this.text = null;
      }
      return this.decoded;
    }

    has(channel) {
      return this.slots.has(channel);
    }

    /** The numbers of one map. */
    map(channel) {
      const begin = this.slots.get(channel) * this.count;
      return this.values.subarray(begin, begin + this.count);
    }

    /** One number of one map. */
    at(channel, place) {
      return this.values[this.slots.get(channel) * this.count + place];
    }

    /** The indices of a place along each axis of a map, and back. */
    indices(place) {
      const found = [];
      for (let axis = this.size.length - 1; axis >= 0; axis--) {
        found.unshift(place % this.size[axis]);
        place = Math.floor(place / this.size[axis]);
      }
      return found;
    }

    place(indices) {
      return indices.reduce((place, index, axis) => place * this.size[axis] + index, 0);
    }

    /** Smallest and largest finite number in the page. */
    get range() {
      if (!this.limits) {
        let [low, high] = [Infinity, -Infinity];
        for (const value of this.values) {
          if (!Number.isFinite(value)) continue;
          if (value < low) low = value;
          if (value > high) high = value;
        }
        this.limits = low > high ? [0, 0] : [low, high];
      }
      return this.limits;
    }
  }

  /** What the page is about; null until `load`. */
  const page = {};

  /** Take in what the page was given, and once more when there is another picture. */
  function load(json) {
    const arrays = json.arrays.map((array) => new Numbers(array));
    const get = (number) => (number === null || number === undefined ? null : arrays[number]);
    const layers = [];

    /** Let a layer know its arrays, the layer that feeds it, and the layers inside of it. */
    function settle(step, source, parent) {
      const layer = { ...step, x: get(step.x), y: get(step.y), source, parent, number: layers.length, inside: [] };
      layer.formula = { ...step.formula };
      for (const name of ["weight", "bias", "rest", "mean", "variance"]) {
        if (name in layer.formula) layer.formula[name] = get(layer.formula[name]);
      }
      layers.push(layer);
      let before = source;
      for (const inner of step.inside) {
        const settled = settle(inner, step.branches ? source : before, layer);
        layer.inside.push(settled);
        before = settled;
      }
      return layer;
    }

    const input = {
      key: "",
      kind: "Input",
      y: get(json.input),
      x: null,
      inside: [],
      number: -1,
      formula: { type: "input" },
    };
    input.y.words = json.words;
    let before = input;
    const steps = json.steps.map((step) => (before = settle(step, before, null)));
    const classes = json.classes && {
      names: json.classes.names,
      probabilities: get(json.classes.probabilities).values,
    };
    Object.assign(page, json, {
      arrays,
      layers,
      steps,
      input,
      classes,
      picture: get(json.picture),
      image: get(json.image),
    });
    return page;
  }

  return { Numbers, page, load };
})();
