"use strict";

/** The data of the page: arrays, decoded on first use, and layers linked to their inputs. */
const Data = (() => {
  function bytes(text) {
    const raw = atob(text);
    const found = new Uint8Array(raw.length);
    for (let i = 0; i < raw.length; i++) found[i] = raw.charCodeAt(i);
    return found;
  }

  /**
   * An array of one example, (C, ...size); the page may omit some channels.
   * A vector (C,) is one map with C positions.
   */
  class Numbers {
    constructor({ shape, channels, kind, data }) {
      this.shape = shape;
      this.isVector = shape.length < 2;
      this.size = this.isVector ? [shape[0] ?? 1] : shape.slice(1);
      this.count = this.size.reduce((a, b) => a * b, 1); // values in a map
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

    /** The values of one map. */
    map(channel) {
      const begin = this.slots.get(channel) * this.count;
      return this.values.subarray(begin, begin + this.count);
    }

    /** One value of one map. */
    at(channel, place) {
      return this.values[this.slots.get(channel) * this.count + place];
    }

    /** Convert a flat position in a map to one index per axis; `place` is the inverse. */
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

    /** The smallest and largest finite value among the kept channels. */
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

  /** The data of the current example; empty until `load`. */
  const page = {};

  /** The layer inside a chain or a graph that computes an output of it; any other layer itself. */
  function end(layer, output = 0) {
    while (layer.inside.length && ["chain", "graph"].includes(layer.formula.type)) {
      const last = [layer.inside.length - 1, output];
      const [step, number] = layer.formula.type === "graph" ? layer.formula.outputs[output] : last;
      [layer, output] = [layer.inside[step], number];
    }
    return layer;
  }

  /** The layer or input of a number: layers count from 0, inputs are -1, -2, and so on. */
  const find = (number) => (number < 0 ? page.inputs[-1 - number] : page.layers[number]);

  /** Load the data of an example; called again for each new drawing. */
  function load(json) {
    const arrays = json.arrays.map((array) => new Numbers(array));
    const get = (number) => (number === null || number === undefined ? null : arrays[number]);
    const layers = [];

    /** Link a layer to its arrays, the layers that it takes its inputs from, and its inner layers. */
    function link(step, sources, parent) {
      const layer = { ...step, x: get(step.x), y: get(step.y), sources, parent, number: layers.length, inside: [] };
      layer.source = end(sources[0]);
      layer.xs = (step.xs ?? []).map(get);
      layer.formula = { ...step.formula };
      for (const name of ["weight", "bias", "rest", "mean", "variance", "memory", "start"]) {
        if (name in layer.formula) layer.formula[name] = get(layer.formula[name]);
      }
      layer.formula.directions &&= step.formula.directions.map((weights) =>
        Object.fromEntries(Object.entries(weights).map(([name, number]) => [name, get(number)])),
      );
      layers.push(layer);
      layer.inside = linkAll(step.inside, sources, layer);
      return layer;
    }

    /** Link layers in sequence, branches side by side, or the steps of a graph, which list what they take. */
    function linkAll(steps, inputs, parent) {
      const linked = [];
      const above = new Map(); // the last layer of each column
      for (const step of steps) {
        const column = (step.column ?? []).join(" ");
        const first = step.column?.[0] === "input" ? inputs[step.column[1]] : (above.get("") ?? inputs[0]);
        const before = parent?.branches ? inputs[0] : (above.get(column) ?? first);
        const taken = parent?.branches || !linked.length ? inputs : [before];
        const sources = step.from?.map(([i, output]) => source(i < 0 ? inputs[-1 - i] : linked[i], output)) ?? taken;
        const layer = link(step, sources, parent);
        layer.skips = sources.length > 1 || sources[0] !== source(before, 0);
        linked.push(layer);
        above.set(column, layer);
      }
      return linked;
    }

    /** The layer that computes an output: of several, the one inside. */
    const source = (layer, output) => (layer.outputs > 1 ? end(layer, output) : layer);

    const inputs = json.inputs.map((input, i) => ({
      ...input,
      key: json.inputs.length > 1 ? input.name : "",
      kind: "Input",
      name: null,
      y: get(input.y),
      x: null,
      inside: [],
      number: -1 - i,
      formula: { type: "input" },
      picture: get(input.picture),
      image: get(input.image),
    }));
    for (const input of inputs) input.y.words = input.words;
    const steps = linkAll(json.steps, inputs, null);
    const answers = json.answers.map((answer) => ({
      ...answer,
      probabilities: get(answer.probabilities).values,
      layer: end(steps[answer.step]),
    }));
    Object.assign(page, json, { arrays, layers, steps, inputs, answers });
    return page;
  }

  return { Numbers, end, find, page, load };
})();
