"use strict";

/** One sentence that describes what a layer computes, with its settings. */
const Sentences = (() => {
  const { shape, plural, plain } = Words;

  const once = (settings, neutral) => settings.every((value) => value === neutral);
  const list = (settings) => (settings.every((value) => value === settings[0]) ? settings[0] : settings.join(" and "));

  /** The settings of a window, such as ", stride 2, padded with zeros by 1". */
  function window({ stride, padding, dilation }, border = "padded with zeros by") {
    const parts = [];
    if (!once(stride, 1)) parts.push(`stride ${list(stride)}`);
    if (!once(dilation, 1)) parts.push(`dilation ${list(dilation)}`);
    if (!once(padding.flat(), 0)) {
      const sides = padding.map(([before, after]) => (before === after ? before : `${before}+${after}`));
      parts.push(`${border} ${list(sides)}`);
    }
    return parts.length ? `, ${parts.join(", ")}` : "";
  }

  const FORMULAS = {
    input: (f, { key }) => (key ? "An input of the network." : "The input of the network."),
    convolution: (f, { x }) =>
      `Each value is a weighted sum over a window of ${shape(f.kernel)}${window(f)}, in ` +
      `${f.groups > 1 ? `the ${plural(x.maps / f.groups, "map")} of its group` : plural(x.maps, "map")}.`,
    transposed: (f, { x }) =>
      `Each input value adds a kernel of ${shape(f.kernel)}, scaled by it, to the output${window(f)}; ` +
      `overlapping copies add up, over ${plural(x.maps / f.groups, "map")}.`,
    pooling: (f) => {
      const what = { maximum: "maximum", average: "average", norm: `L${plain(f.p ?? 2)} norm` }[
        f.of
      ];
      const border = f.of === "maximum" ? "padded (not counted) by" : undefined;
      return `Each value is the ${what} of a window of ${shape(f.kernel)}${window(f, border)}.`;
    },
    pad: (f) =>
      ({
        constant: "Each map is padded with zeros.",
        reflect: "Each map is padded with its own reflection.",
        edge: "Each map is padded with the values of its edge.",
      })[f.mode],
    upsample: (f) =>
      f.mode === "nearest"
        ? `Each value is repeated ${shape(f.scale)} times.`
        : `Each map is enlarged ${shape(f.scale)} times by linear interpolation.`,
    activation: (f) =>
      ({
        ReLU: "Negative values become zero.",
        LeakyReLU: `Negative values are multiplied by ${plain(f.negative_slope ?? 0)}.`,
        ELU: "Negative values saturate exponentially at a lower limit.",
        SELU: "Negative values saturate exponentially at a lower limit; all values are scaled.",
        GELU: "Each value is multiplied by the normal cumulative distribution at that value.",
        SiLU: "Each value is multiplied by the sigmoid of that value.",
        Softplus: "A smooth ReLU: the logarithm of 1 + exp(x).",
        Sigmoid: "Each value is mapped to the interval from 0 to 1.",
        Tanh: "Each value is mapped to the interval from \u22121 to 1.",
      })[f.name],
    prelu: () => "Negative values are multiplied by a learned slope.",
    batchnorm: (f) =>
      f.own
        ? "Each channel is normalized with the mean and variance of its group, then scaled and shifted."
        : "Each channel is normalized with its mean and variance from training, then scaled and shifted.",
    layernorm: () => "The values are normalized with their own mean and variance, then scaled and shifted.",
    identity: () => "The values are unchanged: dropout is active in training only.",
    reshape: (f, { y }) => (y.isVector ? "The maps are flattened to a vector." : "The same values in another shape."),
    pixelshuffle: () => "The values of several maps become neighbours in one larger map.",
    permute: () => "The same values with permuted axes.",
    embedding: () => "Each index is replaced by its row of a table.",
    recurrent: (f, { x, y }) =>
      `${plural(y.maps, "step")}, each a map: the hidden state, computed from ${plural(x.count, "input")} and the state before.`,
    last: () => "The hidden state after the last step.",
    residual: (f, { inside }) =>
      "The sum of a main branch and " + (inside.length > 1 ? "a shortcut branch." : "the input itself."),
    merge: (f, { xs }) =>
      f.of === "sum" ? `The sum of ${xs.length} inputs.` : `The product of ${xs.length} inputs, value by value.`,
    concatenate: (f, { xs, y }) =>
      f.axis === 0 && !y.isVector
        ? `The maps of ${xs.length} inputs, one after the other.`
        : `The values of ${xs.length} inputs, one after the other.`,
    graph: () => "Layers connected as a graph.",
    concat: (f, { inside }) => `The maps of ${plural(inside.length, "branch", "branches")}, concatenated.`,
    chain: (f) => {
      if (f.recurrent) return "The hidden state after each step; the output is the last one.";
      return f.activation ? "An operation, then its activation function." : "Layers in sequence.";
    },
    dense: (f, { x }) => `Each value is a weighted sum of all ${plural(x.count, "input")}.`,
    softmax: (f) =>
      (f.log
        ? "Scores become logarithms of probabilities."
        : "Scores become probabilities: positive values with sum 1."),
    unknown: (f, { inside }) =>
      inside.length
        ? "A custom container: this page shows the layers inside, but not how they are combined."
        : "A custom layer: this page shows its input and output, but not its computation.",
  };

  /** The key and the kind of a layer. */
  const name = (layer) => (layer.number < 0 ? layer.key || "the input" : `${layer.key} ${layer.kind}`);

  function of(layer) {
    const added = ` This ${layer.kind.toLowerCase()} is not a layer of the model: the training loss contains it.`;
    return FORMULAS[layer.formula.type](layer.formula, layer) + (layer.formula.added ? added : "");
  }

  return { name, of };
})();
