"use strict";

/** The values of recurrent layers: the maps are the steps, and a step has one value for each unit. */
const Recurrence = (() => {
  const { short } = Words;
  const sigmoid = (x) => 1 / (1 + Math.exp(-x));

  /** One value of the hidden state, from the input of its step and the state before. */
  function recurrent(layer, step, unit) {
    const { cell, directions, memory, start } = layer.formula;
    if (!directions) return null;
    const hidden = layer.y.count / directions.length;
    const backwards = unit >= hidden;
    const before = backwards ? step + 1 : step - 1;
    const isFirst = before < 0 || before >= layer.y.maps;
    const state = isFirst ? start : layer.y;
    const at = isFirst ? 0 : before;
    if (!layer.x.has(step) || !state.has(at)) return null;
    const offset = backwards ? hidden : 0; // of the units of this direction
    const sums = (block) => products(directions[Number(backwards)], block * hidden + unit - offset, {
      x: layer.x.map(step),
      h: state.map(at).subarray(offset, offset + hidden),
    });
    const previous = state.at(at, unit);
    const { steps, result } = CELLS[cell](sums, previous, cell === "lstm" && !isFirst ? memory.at(before, unit) : 0);
    const sources = [
      { label: "x", array: layer.x, channel: step, place: null },
      { label: isFirst ? "state before: zeros" : "state before", array: state, channel: at, place: unit, x: previous, layer },
    ];
    return { kind: "number", sources, steps, result };
  }

  /** a = W x + b and u = R h + c, for one row of the weights. */
  function products({ weight_ih, weight_hh, bias_ih, bias_hh }, row, { x, h }) {
    const dot = (weights, values) => weights.reduce((sum, w, i) => sum + w * values[i], 0);
    return {
      a: dot(weight_ih.map(row), x) + bias_ih.at(0, row),
      u: dot(weight_hh.map(row), h) + bias_hh.at(0, row),
    };
  }

  /** A gate: the sigmoid of both products. */
  function gate(name, { a, u }) {
    const value = sigmoid(a + u);
    return { value, steps: [{ say: `${name} = sigmoid(${short(a)} + ${short(u)})`, value }] };
  }

  function rnn(sums) {
    const { a, u } = sums(0);
    const result = Math.tanh(a + u);
    const steps = [
      { say: "input: a = W x + b", value: a },
      { say: "state before: u = R h + c", value: u },
      { say: `tanh(${short(a)} + ${short(u)})`, value: result },
    ];
    return { steps, result };
  }

  function lstm(sums, _, before) {
    const [i, f, o] = [["input gate i", 0], ["forget gate f", 1], ["output gate o", 3]].map(([name, block]) =>
      gate(name, sums(block)),
    );
    const { a, u } = sums(2);
    const g = Math.tanh(a + u);
    const memory = f.value * before + i.value * g;
    const result = o.value * Math.tanh(memory);
    const steps = [
      ...i.steps,
      ...f.steps,
      { say: `candidate g = tanh(${short(a)} + ${short(u)})`, value: g },
      { say: "memory before", value: before },
      { say: "memory = f \u00d7 memory before + i \u00d7 g", value: memory },
      ...o.steps,
      { say: "o \u00d7 tanh(memory)", value: result },
    ];
    return { steps, result };
  }

  function gru(sums, before) {
    const [r, z] = [["reset gate r", 0], ["update gate z", 1]].map(([name, block]) => gate(name, sums(block)));
    const { a, u } = sums(2);
    const n = Math.tanh(a + r.value * u);
    const result = (1 - z.value) * n + z.value * before;
    const steps = [
      ...r.steps,
      ...z.steps,
      { say: `candidate n = tanh(${short(a)} + r \u00d7 ${short(u)})`, value: n },
      { say: "(1 \u2212 z) \u00d7 n + z \u00d7 state before", value: result },
    ];
    return { steps, result };
  }

  const CELLS = { rnn, lstm, gru };

  /** The output of the last step: that of a second direction is at the first element. */
  function last(layer, channel, unit) {
    const step = unit < layer.formula.hidden ? layer.x.maps - 1 : 0;
    if (!layer.x.has(step)) return null;
    const x = layer.x.at(step, unit);
    const found = { label: "x", array: layer.x, channel: step, place: unit, x };
    return { kind: "number", sources: [found], steps: [{ say: `copied from map ${step}`, value: x }], result: x };
  }

  return { recurrent, last };
})();
