"use strict";

/**
 * The arithmetic of layers with a window over their input: convolution, pooling, padding and upsampling.
 */
const Windows = (() => {
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
   * The input position of each tap of the window, or the reason why it has none: "padding", "outside" (beyond the
   * padding) or "between" the strides of a transposed convolution.
   */
  function taps(layer, place) {
    const { kernel, stride, padding, dilation, type } = layer.formula;
    const at = layer.y.isVector ? kernel.map(() => 0) : layer.y.indices(place); // a global pooling has one window
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
      if (!layer.x.has(from)) return; // included in the rest
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
    return {
      kind: "window",
      combine: "sum",
      kernel,
      parts,
      bias: added,
      rest: others,
      hidden: perGroup - parts.length,
      result,
    };
  }

  function pooling(layer, channel, place) {
    const { of, kernel, p, countPadding } = layer.formula;
    const from = layer.y.isVector ? place : channel; // a global pooling outputs one value per map
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

  /** The element that is repeated at an index beyond the ends of an axis. */
  const REPEATED = {
    constant: (index) => index,
    edge: (index, size) => Math.min(Math.max(index, 0), size - 1),
    reflect: (index, size) => (index < 0 ? -index : index >= size ? 2 * (size - 1) - index : index),
  };

  function pad(layer, channel, place) {
    const { padding, mode } = layer.formula;
    if (!layer.x.has(channel)) return null;
    const indices = layer.y
      .indices(place)
      .map((index, axis) => REPEATED[mode](index - padding[axis][0], layer.x.size[axis]));
    const inside = indices.every((index, axis) => index >= 0 && index < layer.x.size[axis]);
    const from = inside ? layer.x.place(indices) : -1;
    const tap = {
      indices,
      state: inside ? "input" : "padding",
      place: from,
      x: inside ? layer.x.at(channel, from) : 0,
    };
    const kernel = indices.map(() => 1);
    return { kind: "window", combine: "copy", kernel, parts: [{ channel, taps: [tap] }], result: tap.x };
  }

  /** Each output interpolates the one or two nearest inputs along each axis. */
  function upsample(layer, channel, place) {
    const { scale, mode } = layer.formula;
    if (!layer.x.has(channel)) return null;
    const shares = layer.y.indices(place).map((index, axis) => {
      if (mode === "nearest") return [[Math.floor(index / scale[axis]), 1]];
      const at = Math.min(Math.max((index + 0.5) / scale[axis] - 0.5, 0), layer.x.size[axis] - 1);
      const left = Math.floor(at);
      return at === left
        ? [[left, 1]]
        : [
            [left, 1 - (at - left)],
            [left + 1, at - left],
          ];
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
    return {
      kind: "window",
      combine,
      kernel,
      parts: [{ channel, taps: seen, sum }],
      bias: null,
      rest: null,
      hidden: 0,
      result: sum,
    };
  }

  return { convolution, transposed: convolution, pooling, pad, upsample };
})();
