"use strict";

/**
 * How one number of a layer is made: from the layer's input and its weights, term by term.
 *
 * `explain(layer, channel, place)` returns what there is to show. Its `kind` says what else it has:
 *
 *   window   parts, one for each input map: taps with x, weight and product; and what becomes of them
 *   number   sources, the numbers it is made of, and steps, each with the words and the value
 *   terms    a long row of x * weight (dense), or of exponentials (softmax)
 *   unknown  nothing: the layer is somebody's own
 *
 * `result` is what this page computes, `output` what the network computed; they should agree.
 */
const Arithmetic = (() => {
  const { short, plain, signed } = Words;

  function explain(layer, channel, place) {
    const how = FORMULAS[layer.formula.type];
    const output = layer.y.at(channel, place);
    const found = how && layer.x ? how(layer, channel, place) : null;
    return found ? { output, ...found } : { kind: "unknown", output };
  }

  // -------------------------------------------------------------------------------------------------- sliding windows

  /** All tuples of indices below `sizes`, the last axis fastest. */
  function* tuples(sizes) {
    const at = sizes.map(() => 0);
    const total = sizes.reduce((a, b) => a * b, 1);
    for (let i = 0; i < total; i++) {
      yield at;
      for (let axis = sizes.length - 1; axis >= 0 && ++at[axis] === sizes[axis]; axis--) at[axis] = 0;
    }
  }

  /**
   * What each tap of the window sees: the place in the input, or why there is none ("padding", "outside" beyond the
   * padding, "between" the outputs of a transposed convolution's strides).
   */
  function taps(layer, place) {
    const { kernel, stride, padding, dilation, type } = layer.formula;
    const at = layer.y.isVector ? kernel.map(() => 0) : layer.y.indices(place); // a global pool has one window
    const size = layer.x.size;
    const found = [];
    for (const tap of tuples(kernel)) {
      const indices = [];
      let state = "input";
      for (let axis = 0; axis < kernel.length; axis++) {
        let index;
        if (type === "transposed") {
          const reach = at[axis] + padding[axis][0] - dilation[axis] * tap[axis];
          index = reach / stride[axis];
          if (reach % stride[axis] !== 0) state = "between";
          else if ((index < 0 || index >= size[axis]) && state !== "between") state = "outside";
        } else {
          index = stride[axis] * at[axis] + dilation[axis] * tap[axis] - padding[axis][0];
          if (index >= size[axis] + padding[axis][1]) state = "outside";
          else if ((index < 0 || index >= size[axis]) && state !== "outside") state = "padding";
        }
        indices.push(index);
      }
      found.push({ indices, state, place: state === "input" ? layer.x.place(indices) : -1 });
    }
    return found;
  }

  /** y = sum of x * weight over all taps and input maps, + bias. */
  function convolution(layer, channel, place) {
    const { weight, bias, inputs, rest, groups, kernel } = layer.formula;
    const perGroup = layer.x.maps / groups;
    const first = Math.floor(channel / (layer.y.maps / groups)) * perGroup;
    const seen = taps(layer, place);
    const kernels = weight.map(channel);
    const parts = [];
    inputs.forEach((input, slot) => {
      const from = first + input;
      if (!layer.x.has(from)) return; // its part is in the rest
      let sum = 0;
      const found = seen.map((tap, k) => {
        const x = tap.state === "input" ? layer.x.at(from, tap.place) : 0;
        const w = kernels[slot * seen.length + k];
        const product = tap.state === "input" ? x * w : 0;
        sum += product;
        return { ...tap, x, weight: w, product };
      });
      parts.push({ channel: from, taps: found, sum });
    });
    if (!parts.length) return null;
    const added = bias ? bias.at(0, channel) : null;
    const others = rest ? rest.at(channel, place) : null;
    const result = parts.reduce((total, part) => total + part.sum, 0) + (others ?? 0) + (added ?? 0);
    return { kind: "window", combine: "sum", kernel, parts, bias: added, rest: others, hidden: perGroup - parts.length, result };
  }

  function pooling(layer, channel, place) {
    const { of, kernel, p, countPadding } = layer.formula;
    const from = layer.y.isVector ? place : channel; // a global pool gives one number for each map
    if (!layer.x.has(from)) return null;
    const seen = taps(layer, place).map((tap) => ({
      ...tap,
      x: tap.state === "input" ? layer.x.at(from, tap.place) : 0,
    }));
    const inside = seen.filter((tap) => tap.state === "input");
    const found = { kind: "window", combine: of, kernel, parts: [{ channel: from, taps: seen }] };
    if (of === "maximum") {
      let winner = inside[0];
      for (const tap of inside) if (tap.x > winner.x || (Number.isNaN(tap.x) && !Number.isNaN(winner.x))) winner = tap;
      winner.wins = true;
      return { ...found, result: winner.x };
    }
    if (of === "average") {
      const divisor = countPadding ? seen.filter((tap) => tap.state !== "outside").length : inside.length;
      const sum = inside.reduce((total, tap) => total + tap.x, 0);
      return { ...found, sum, divisor, result: sum / divisor };
    }
    const sum = inside.reduce((total, tap) => total + (tap.product = Math.abs(tap.x) ** p), 0);
    return { ...found, sum, p, result: sum ** (1 / p) };
  }

  function pad(layer, channel, place) {
    const { padding } = layer.formula;
    if (!layer.x.has(channel)) return null;
    const indices = layer.y.indices(place).map((index, axis) => index - padding[axis][0]);
    const inside = indices.every((index, axis) => index >= 0 && index < layer.x.size[axis]);
    const from = inside ? layer.x.place(indices) : -1;
    const tap = { indices, state: inside ? "input" : "padding", place: from, x: inside ? layer.x.at(channel, from) : 0 };
    const kernel = indices.map(() => 1);
    return { kind: "window", combine: "copy", kernel, parts: [{ channel, taps: [tap] }], result: tap.x };
  }

  /** Each output shares in the one or two inputs next to it, along each axis. */
  function upsample(layer, channel, place) {
    const { scale, mode } = layer.formula;
    if (!layer.x.has(channel)) return null;
    const shares = layer.y.indices(place).map((index, axis) => {
      if (mode === "nearest") return [[Math.floor(index / scale[axis]), 1]];
      const at = Math.min(Math.max((index + 0.5) / scale[axis] - 0.5, 0), layer.x.size[axis] - 1);
      const left = Math.floor(at);
      return at === left ? [[left, 1]] : [[left, 1 - (at - left)], [left + 1, at - left]];
    });
    const kernel = shares.map((axis) => axis.length);
    const seen = [];
    let sum = 0;
    for (const tuple of tuples(kernel)) {
      const picked = tuple.map((i, axis) => shares[axis][i]);
      const indices = picked.map(([index]) => index);
      const weight = picked.reduce((product, [, share]) => product * share, 1);
      const from = layer.x.place(indices);
      const x = layer.x.at(channel, from);
      seen.push({ indices: [...indices], state: "input", place: from, x, weight, product: x * weight });
      sum += x * weight;
    }
    const combine = mode === "nearest" ? "copy" : "sum";
    return { kind: "window", combine, kernel, parts: [{ channel, taps: seen, sum }], bias: null, rest: null, hidden: 0, result: sum };
  }

  // ------------------------------------------------------------------------------------------------ number by number

  /** The error function, by its series and, further out, its continued fraction. */
  function erf(x) {
    const size = Math.abs(x);
    if (size < 2.5) {
      let [term, sum] = [x, x];
      for (let n = 1; n < 60; n++) {
        term *= (-x * x) / n;
        sum += term / (2 * n + 1);
      }
      return (2 / Math.sqrt(Math.PI)) * sum;
    }
    let fraction = 0;
    for (let n = 60; n > 0; n--) fraction = n / 2 / (size + fraction);
    return Math.sign(x) * (1 - Math.exp(-x * x) / Math.sqrt(Math.PI) / (size + fraction));
  }

  /** Each activation: its function of one number, and the words for what it does to this one. */
  const ACTIVATIONS = {
    ReLU: () => [(x) => (x > 0 || Number.isNaN(x) ? x : 0), (x) => `max(${short(x)}, 0)`],
    LeakyReLU: ({ negative_slope: slope }) => [
      (x) => (x > 0 ? x : slope * x),
      (x) => (x > 0 ? `${short(x)}, as it is positive` : `${plain(slope)} \u00d7 ${signed(x)}`),
    ],
    ELU: ({ alpha }) => [
      (x) => (x > 0 ? x : alpha * Math.expm1(x)),
      (x) => (x > 0 ? `${short(x)}, as it is positive` : `${plain(alpha)} \u00d7 (exp(${short(x)}) \u2212 1)`),
    ],
    SELU: ({ alpha, scale }) => [
      (x) => scale * (x > 0 ? x : alpha * Math.expm1(x)),
      (x) =>
        x > 0
          ? `${plain(scale)} \u00d7 ${short(x)}`
          : `${plain(scale)} \u00d7 ${plain(alpha)} \u00d7 (exp(${short(x)}) \u2212 1)`,
    ],
    GELU: ({ approximate }) =>
      approximate === "tanh"
        ? [
            (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
            (x) => `${short(x)} \u00d7 (1 + tanh(0.798 \u00d7 (x + 0.0447 x\u00b3))) / 2`,
          ]
        : [(x) => 0.5 * x * (1 + erf(x / Math.SQRT2)), (x) => `${short(x)} \u00d7 \u03a6(${short(x)})`],
    Sigmoid: () => [(x) => 1 / (1 + Math.exp(-x)), (x) => `1 / (1 + exp(${short(-x)}))`],
    Tanh: () => [Math.tanh, (x) => `tanh(${short(x)})`],
  };

  /** The layer's function of one number, for the curve; null if it is no such function. */
  function curve(layer) {
    return layer.formula.type === "activation" ? ACTIVATIONS[layer.formula.name](layer.formula)[0] : null;
  }

  const source = (layer, array, channel, place, label = "x") => ({ label, array, channel, place, x: array.at(channel, place) });

  function activation(layer, channel, place) {
    if (!layer.x.has(channel)) return null;
    const [apply, say] = ACTIVATIONS[layer.formula.name](layer.formula);
    const from = source(layer, layer.x, channel, place);
    const result = apply(from.x);
    return { kind: "number", sources: [from], steps: [{ say: say(from.x), value: result }], result };
  }

  function normalised(from, mean, variance, eps, weight, bias) {
    const deviation = Math.sqrt(variance + eps);
    const centred = from.x - mean;
    const standard = centred / deviation;
    const result = standard * weight + bias;
    const steps = [
      { say: `x \u2212 mean = ${short(from.x)} \u2212 ${signed(mean)}`, value: centred },
      { say: `\u221a(variance + eps) = \u221a(${short(variance)} + ${plain(eps)})`, value: deviation },
      { say: `divided, ${short(centred)} / ${short(deviation)}`, value: standard },
      { say: `times weight, plus bias: ${short(standard)} \u00d7 ${signed(weight)} + ${signed(bias)}`, value: result },
    ];
    return { kind: "number", sources: [from], steps, result };
  }

  function batchnorm(layer, channel, place) {
    const { mean, variance, weight, bias, eps } = layer.formula;
    if (!layer.x.has(channel)) return null;
    const c = layer.x.isVector ? place : channel;
    const [m, v, w, b] = [mean, variance, weight, bias].map((array) => array.at(0, c));
    return normalised(source(layer, layer.x, channel, place), m, v, eps, w, b);
  }

  function layernorm(layer, channel, place) {
    const { mean, variance, weight, bias, eps, axis } = layer.formula;
    if (!layer.x.has(channel)) return null;
    const index = layer.x.isVector ? place : channel * layer.x.count + place; // in the whole array
    const within = layer.x.shape.slice(axis).reduce((a, b) => a * b, 1); // numbers that share a mean
    const [m, v] = [mean, variance].map((array) => array.at(0, Math.floor(index / within)));
    const [w, b] = [weight, bias].map((array) => array.at(0, index % within));
    return normalised(source(layer, layer.x, channel, place), m, v, eps, w, b);
  }

  function copied(layer, array, channel, place, say) {
    if (!array.has(channel)) return null;
    const from = source(layer, array, channel, place);
    return { kind: "number", sources: [from], steps: [{ say, value: from.x }], result: from.x };
  }

  const identity = (layer, channel, place) =>
    copied(layer, layer.x, channel, place, "unchanged: it only drops numbers in training");

  /** The same number at another place: both arrays are one line of numbers in the same order. */
  function reshape(layer, channel, place) {
    const index = layer.y.isVector ? place : channel * layer.y.count + place;
    const from = Math.floor(index / layer.x.count);
    return copied(layer, layer.x, from, index % layer.x.count, "the same number at another place");
  }

  function embedding(layer, channel, place) {
    const length = layer.y.shape[layer.y.shape.length - 1];
    const index = layer.y.isVector ? place : channel * layer.y.count + place;
    const word = Math.floor(index / length);
    const from = Math.floor(word / layer.x.count);
    if (!layer.x.has(from)) return null;
    const found = source(layer, layer.x, from, word % layer.x.count, "index");
    const output = layer.y.at(channel, place);
    const say = `row ${found.x} of the table, number ${index % length} in it`;
    return { kind: "number", sources: [found], steps: [{ say, value: output }], result: output };
  }

  // --------------------------------------------------------------------------------------------------------- branches

  function residual(layer, channel, place) {
    const [main, shortcut] = layer.inside;
    const beside = shortcut ? shortcut.y : layer.x;
    if (!main.y || !main.y.has(channel) || !beside.has(channel)) return null;
    const sources = [
      source(layer, main.y, channel, place, "main"),
      source(layer, beside, channel, place, shortcut ? "shortcut" : "the input itself"),
    ];
    const result = sources[0].x + sources[1].x;
    return { kind: "number", sources, steps: [{ say: `${short(sources[0].x)} + ${signed(sources[1].x)}`, value: result }], result };
  }

  function concat(layer, channel, place) {
    let index = layer.y.isVector ? place : channel;
    const { channels } = layer.formula;
    let branch = 0;
    while (index >= channels[branch]) index -= channels[branch++];
    const from = layer.inside[branch].y;
    const say = `copied from branch ${branch}, ${layer.y.isVector ? "number" : "map"} ${index}`;
    const [c, p] = layer.y.isVector ? [0, index] : [index, place];
    const found = from ? copied(layer, from, c, p, say) : null;
    if (found) found.sources[0].label = `branch ${branch}`;
    return found;
  }

  /** What comes out of a block is what comes out of its last layer. */
  function chain(layer, channel, place) {
    const last = layer.inside[layer.inside.length - 1];
    const from = last ? last.y : layer.x;
    return from ? copied(layer, from, channel, place, "what the last layer inside gives") : null;
  }

  // -------------------------------------------------------------------------------------------------- rows of numbers

  /** y = sum of x * weight over all inputs, + bias. */
  function dense(layer, channel, place) {
    const { weight, bias } = layer.formula;
    if (!weight.has(place)) return null;
    const row = weight.map(place);
    let sum = 0;
    const terms = Array.from(row, (w, i) => {
      const x = layer.x.at(0, i);
      sum += x * w;
      return { index: i, x, weight: w, product: x * w };
    });
    const added = bias ? bias.at(0, place) : null;
    return { kind: "terms", of: "dense", terms, sum, bias: added, result: sum + (added ?? 0) };
  }

  /** exp(z - largest) / sum of them all, along an axis: the one of the maps, or one within a map. */
  function softmax(layer, channel, place) {
    const { x, formula } = layer;
    const axis = formula.axis - 1;
    const acrossMaps = !x.isVector && axis < 0;
    const inMap = (i) => (x.isVector ? i : moved(x, place, axis, i));
    const length = acrossMaps ? x.maps : x.size[Math.max(axis, 0)];
    const own = acrossMaps ? channel : x.indices(place)[Math.max(axis, 0)];
    const terms = [];
    for (let i = 0; i < length; i++) {
      if (!x.has(acrossMaps ? i : channel)) return null;
      terms.push({ index: i, x: acrossMaps ? x.at(i, place) : x.at(channel, inMap(i)) });
    }
    const largest = Math.max(...terms.map((term) => term.x));
    const sum = terms.reduce((total, term) => total + (term.product = Math.exp(term.x - largest)), 0);
    const result = formula.log ? terms[own].x - largest - Math.log(sum) : terms[own].product / sum;
    return { kind: "terms", of: "softmax", terms, own, largest, sum, log: formula.log, result };
  }

  function moved(array, place, axis, index) {
    const indices = array.indices(place);
    indices[axis] = index;
    return array.place(indices);
  }

  const FORMULAS = {
    convolution, transposed: convolution, pooling, pad, upsample,
    activation, batchnorm, layernorm, identity, reshape, embedding,
    residual, concat, chain, dense, softmax,
  };

  return { explain, curve, erf };
})();
