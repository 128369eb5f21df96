"use strict";

/** What each kind of layer does, in one sentence that holds for the layer at hand. */
const Sentences = (() => {
  const { shape, plural, plain } = Words;

  const once = (settings, neutral) => settings.every((value) => value === neutral);
  const spell = (settings) => (settings.every((value) => value === settings[0]) ? settings[0] : settings.join(" and "));

  /** ", 2 apart, with a border of zeros, 1 wide" and the like. */
  function window({ stride, padding, dilation }, border = "a border of zeros") {
    const parts = [];
    if (!once(stride, 1)) parts.push(`${spell(stride)} apart`);
    if (!once(dilation, 1)) parts.push(`with taps ${spell(dilation)} apart`);
    if (!once(padding.flat(), 0)) {
      const sides = padding.map(([before, after]) => (before === after ? before : `${before}+${after}`));
      parts.push(`with ${border}, ${spell(sides)} wide`);
    }
    return parts.length ? `, ${parts.join(", ")}` : "";
  }

  const FORMULAS = {
    input: () => "What the network gets.",
    convolution: (f, { x }) =>
      `Each number is a weighted sum of a window of ${shape(f.kernel)}${window(f)}, over ` +
      `${f.groups > 1 ? `the ${plural(x.maps / f.groups, "map")} of its group` : plural(x.maps, "map")}.`,
    transposed: (f, { x }) =>
      `Each number of the input lays a kernel of ${shape(f.kernel)} into the output, scaled by it${window(f)}; ` +
      `what overlaps adds up, over ${plural(x.maps / f.groups, "map")}.`,
    pooling: (f) => {
      const what = { maximum: "the largest number", average: "the average", norm: `the L${plain(f.p ?? 2)} norm` }[
        f.of
      ];
      const border = f.of === "maximum" ? "an empty border" : undefined;
      return `Of each window of ${shape(f.kernel)}${window(f, border)}, ${what} stays.`;
    },
    pad: () => "Zeros are put around each map.",
    upsample: (f) =>
      f.mode === "nearest"
        ? `Each number is repeated, ${shape(f.scale)}.`
        : `Each map is drawn ${shape(f.scale)} times as large, linearly.`,
    activation: (f) =>
      ({
        ReLU: "What is below zero becomes zero.",
        LeakyReLU: `What is below zero is multiplied by ${plain(f.negative_slope ?? 0)}.`,
        ELU: "What is below zero is bent towards a floor, by an exponential.",
        SELU: "What is below zero is bent towards a floor; both sides are scaled.",
        GELU: "Each number is multiplied by the share of a normal distribution that lies below it.",
        Sigmoid: "Each number is squeezed between 0 and 1.",
        Tanh: "Each number is squeezed between \u22121 and 1.",
      })[f.name],
    batchnorm: () =>
      "Each channel is brought to the mean 0 and the spread 1 that it had in training, then scaled and shifted.",
    layernorm: () => "The numbers are brought to mean 0 and spread 1 among each other, then scaled and shifted.",
    identity: () => "Nothing happens here: it only drops numbers in training.",
    reshape: (f, { y }) => (y.isVector ? "The maps are laid end to end." : "The same numbers in another shape."),
    permute: () => "The same numbers, with the axes in another order.",
    embedding: () => "Each index is replaced by its row of a table.",
    residual: (f, { inside }) =>
      "Two ways side by side, added up: a main one, and " + (inside.length > 1 ? "a shortcut." : "the input itself."),
    concat: (f, { inside }) => `${plural(inside.length, "way")} side by side; their maps are put one after the other.`,
    chain: () => "One layer after the other.",
    dense: (f, { x }) => `Each number is a weighted sum of all ${plural(x.count, "number")} before it.`,
    softmax: (f) =>
      (f.log
        ? "Scores become logarithms of probabilities."
        : "Scores become probabilities: positive, and 1 together.") +
      (f.added ? " This is no layer of the model; the loss it was trained with does it." : ""),
    unknown: (f, { inside }) =>
      inside.length
        ? "A container that this page does not know: it shows the layers inside, and not how they are joined."
        : "A layer of its own kind: this page knows what went in and what came out, and not how.",
  };

  return { of: (layer) => FORMULAS[layer.formula.type](layer.formula, layer) };
})();
