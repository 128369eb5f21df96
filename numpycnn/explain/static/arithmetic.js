"use strict";

/**
 * Compute one value of a layer from its input and its weights, term by term.
 *
 * `explain(layer, channel, place)` returns an object. Its `kind` determines the other properties:
 *
 *   window   parts, one per input map: taps with x, weight and product; and `combine`, how they are reduced
 *   number   sources, the input values, and steps, each with a text and a value
 *   terms    the products x * weight (dense), or the exponentials (softmax)
 *   unknown  nothing: a custom layer
 *
 * `result` is computed by this page, `output` by the network; they should agree.
 */
const Arithmetic = (() => {
  const { apart, short, plain, signed } = Words;

  function explain(layer, channel, place) {
    const how = FORMULAS[layer.formula.type];
    const output = layer.y.at(channel, place);
    const found = how && (layer.x || layer.xs.length) ? how(layer, channel, place) : null;
    return found ? { output, ...found } : { kind: "unknown", output };
  }

  // ------------------------------------------------------------------------------------------------------- elementwise

  /** The error function: its series near zero, its continued fraction elsewhere. */
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

  /** Each activation: its scalar function, and the formula as text. */
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
    SiLU: () => [(x) => x / (1 + Math.exp(-x)), (x) => `${short(x)} / (1 + exp(${short(-x)}))`],
    Softplus: () => [
      (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
      (x) => `log(1 + exp(${short(x)}))`,
    ],
    Sigmoid: () => [(x) => 1 / (1 + Math.exp(-x)), (x) => `1 / (1 + exp(${short(-x)}))`],
    Tanh: () => [Math.tanh, (x) => `tanh(${short(x)})`],
  };

  /** The scalar function of an activation layer, for the curve; null for other layers. */
  function curve(layer) {
    return layer.formula.type === "activation" ? ACTIVATIONS[layer.formula.name](layer.formula)[0] : null;
  }

  const source = (layer, array, channel, place, label = "x") => ({
    label,
    array,
    channel,
    place,
    x: array.at(channel, place),
  });

  function activation(layer, channel, place) {
    if (!layer.x.has(channel)) return null;
    const [apply, say] = ACTIVATIONS[layer.formula.name](layer.formula);
    const from = source(layer, layer.x, channel, place);
    const result = apply(from.x);
    return { kind: "number", sources: [from], steps: [{ say: say(from.x), value: result }], result };
  }

  /** A leaky ReLU with a learned slope for each channel. */
  function prelu(layer, channel, place) {
    if (!layer.x.has(channel)) return null;
    const slope = layer.formula.weight.at(0, layer.x.isVector ? place : channel);
    const from = source(layer, layer.x, channel, place);
    const [apply, say] = ACTIVATIONS.LeakyReLU({ negative_slope: slope });
    const result = apply(from.x);
    return { kind: "number", sources: [from], steps: [{ say: say(from.x), value: result }], result };
  }

  function normalized(from, mean, variance, eps, weight, bias) {
    const deviation = Math.sqrt(variance + eps);
    const centered = from.x - mean;
    const standard = centered / deviation;
    const result = standard * weight + bias;
    const steps = [
      { say: `x \u2212 mean = ${short(from.x)} \u2212 ${signed(mean)}`, value: centered },
      { say: `\u221a(variance + eps) = \u221a(${short(variance)} + ${plain(eps)})`, value: deviation },
      { say: `divide: ${short(centered)} / ${short(deviation)}`, value: standard },
      { say: `scale and shift: ${short(standard)} \u00d7 ${signed(weight)} + ${signed(bias)}`, value: result },
    ];
    return { kind: "number", sources: [from], steps, result };
  }

  function batchnorm(layer, channel, place) {
    const { mean, variance, weight, bias, eps } = layer.formula;
    if (!layer.x.has(channel)) return null;
    const c = layer.x.isVector ? place : channel;
    const [m, v, w, b] = [mean, variance, weight, bias].map((array) => array.at(0, c));
    return normalized(source(layer, layer.x, channel, place), m, v, eps, w, b);
  }

  function layernorm(layer, channel, place) {
    const { mean, variance, weight, bias, eps, axis } = layer.formula;
    if (!layer.x.has(channel)) return null;
    const index = layer.x.isVector ? place : channel * layer.x.count + place; // in the flat array
    const within = layer.x.shape.slice(axis).reduce((a, b) => a * b, 1); // values that share a mean
    const [m, v] = [mean, variance].map((array) => array.at(0, Math.floor(index / within)));
    const [w, b] = [weight, bias].map((array) => array.at(0, index % within));
    return normalized(source(layer, layer.x, channel, place), m, v, eps, w, b);
  }

  function copied(layer, array, channel, place, say) {
    if (!array.has(channel)) return null;
    const from = source(layer, array, channel, place);
    return { kind: "number", sources: [from], steps: [{ say, value: from.x }], result: from.x };
  }

  const identity = (layer, channel, place) =>
    copied(layer, layer.x, channel, place, "unchanged: dropout is active in training only");

  /** A reshape copies the value at the same flat index. */
  function reshape(layer, channel, place) {
    const index = layer.y.isVector ? place : channel * layer.y.count + place;
    const from = Math.floor(index / layer.x.count);
    return copied(layer, layer.x, from, index % layer.x.count, "the same value at another position");
  }

  /** A permutation copies the value at the permuted indices. */
  function permute(layer, channel, place) {
    const say = "the same value, with permuted axes";
    if (layer.y.isVector) return copied(layer, layer.x, channel, place, say);
    const from = [];
    [channel, ...layer.y.indices(place)].forEach((index, i) => (from[layer.formula.axes[i]] = index));
    return copied(layer, layer.x, from[0], layer.x.place(from.slice(1)), say);
  }

  /** A pixel shuffle copies the value at the same position divided by the factors, from the channel of the remainders. */
  function pixelshuffle(layer, channel, place) {
    const { factors } = layer.formula;
    const indices = layer.y.indices(place);
    const from = indices.reduce((c, index, axis) => c * factors[axis] + (index % factors[axis]), channel);
    const at = layer.x.place(indices.map((index, axis) => Math.floor(index / factors[axis])));
    return copied(layer, layer.x, from, at, `copied from map ${from}`);
  }

  function embedding(layer, channel, place) {
    const length = layer.y.shape[layer.y.shape.length - 1];
    const index = layer.y.isVector ? place : channel * layer.y.count + place;
    const word = Math.floor(index / length);
    const from = Math.floor(word / layer.x.count);
    if (!layer.x.has(from)) return null;
    const found = source(layer, layer.x, from, word % layer.x.count, "index");
    const meaning = layer.x.words ? ` (\u201c${apart(layer.x.words[found.place])}\u201d)` : "";
    const say = `element ${index % length} of row ${found.x}${meaning} of the table`;
    const result = layer.formula.weight.at(found.x, index % length);
    return { kind: "number", sources: [found], steps: [{ say, value: result }], result };
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
    return {
      kind: "number",
      sources,
      steps: [{ say: `${short(sources[0].x)} + ${signed(sources[1].x)}`, value: result }],
      result,
    };
  }

  /** The sum or the product of the values of several inputs at the same place. */
  function merge(layer, channel, place) {
    if (!layer.xs.every((array) => array.has(channel))) return null;
    const sources = layer.xs.map((array, i) => from(layer, i, channel, place));
    const isSum = layer.formula.of === "sum";
    const result = sources.reduce((total, { x }) => (isSum ? total + x : total * x), isSum ? 0 : 1);
    const say = sources.map(({ x }, i) => (i ? signed(x) : short(x))).join(isSum ? " + " : " \u00d7 ");
    return { kind: "number", sources, steps: [{ say, value: result }], result };
  }

  /** A value of one of several inputs of a graph, and the layer that it comes from. */
  const from = (layer, i, channel, place) => ({
    ...source(layer, layer.xs[i], channel, place, apart(Sentences.name(layer.sources[i]))),
    layer: layer.sources[i],
  });

  /** A concatenation copies a value of one of the inputs. */
  function concatenate(layer, channel, place) {
    const { axis, sizes } = layer.formula;
    const indices = layer.y.isVector ? [place] : [channel, ...layer.y.indices(place)];
    let i = 0;
    while (indices[axis] >= sizes[i]) indices[axis] -= sizes[i++];
    const array = layer.xs[i];
    const [c, p] = layer.y.isVector ? [0, indices[0]] : [indices[0], array.place(indices.slice(1))];
    if (!array.has(c)) return null;
    const found = from(layer, i, c, p);
    return { kind: "number", sources: [found], steps: [{ say: `copied from ${found.label}`, value: found.x }], result: found.x };
  }

  /** The output of a graph is that of one of its steps. */
  function graph(layer, channel, place) {
    const from = Data.end(layer).y;
    return from ? copied(layer, from, channel, place, "output of a layer inside") : null;
  }

  function concat(layer, channel, place) {
    let index = layer.y.isVector ? place : channel;
    const { channels } = layer.formula;
    let branch = 0;
    while (index >= channels[branch]) index -= channels[branch++];
    const from = layer.inside[branch].y;
    const say = `copied from branch ${branch}, ${layer.y.isVector ? "element" : "map"} ${index}`;
    const [c, p] = layer.y.isVector ? [0, index] : [index, place];
    const found = from ? copied(layer, from, c, p, say) : null;
    if (found) found.sources[0].label = `branch ${branch}`;
    return found;
  }

  /** The output of a chain is that of its last layer. */
  function chain(layer, channel, place) {
    const last = layer.inside[layer.inside.length - 1];
    const from = last ? last.y : layer.x;
    return from ? copied(layer, from, channel, place, "output of the last layer inside") : null;
  }

  // ----------------------------------------------------------------------------------------------------------- vectors

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

  /** exp(z - largest) / sum, along an axis: that of the maps, or one within a map. */
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
    ...Windows,
    ...Recurrence,
    activation,
    prelu,
    batchnorm,
    layernorm,
    identity,
    reshape,
    permute,
    pixelshuffle,
    embedding,
    residual,
    merge,
    concatenate,
    graph,
    concat,
    chain,
    dense,
    softmax,
  };

  return { explain, curve, erf };
})();
