"use strict";

/** The view of layers that compute each value from one or two others: activations, norms, sums, copies, states. */
const LensNumber = (() => {
  const { make, short } = Words;

  class View {
    constructor(layer, channel, found, choose) {
      this.layer = layer;
      this.channel = channel;
      this.inputs = found.sources.map(({ label }) => ({
        label,
        board: new Stage.Board({ label: `input: ${label}` }),
        caption: make("figcaption"),
      }));
      this.output = new Stage.Board({ label: "output: select a value with the arrow keys", choose });
      const apply = Arithmetic.curve(layer);
      this.curve = apply ? new Curve(apply, layer.x.range) : null;
      this.bill = make("div", { class: "bill-place" });
      this.element = make(
        "div",
        {},
        make(
          "div",
          { class: layer.y.size.length > 2 ? "boards wide" : "boards" },
          ...this.inputs.map(({ caption, board }) => make("figure", {}, caption, board.element)),
          make(
            "figure",
            {},
            make("figcaption", { text: layer.y.isVector ? "output" : `output map ${channel}` }),
            this.output.element,
          ),
        ),
        this.curve?.element ?? null,
        this.bill,
      );
    }

    sources() {
      return this.found.sources.map((source) => ({ layer: this.layerOf(source), channels: [source.channel] }));
    }

    /** The layer that outputs a source: the previous layer, or the end of a branch. */
    layerOf(source) {
      const inner = this.layer.inside.find((branch) => branch.y === source.array);
      return Data.end(source.layer ?? inner ?? this.layer.source);
    }

    update(found, place, until) {
      Object.assign(this, { found, place });
      found.sources.forEach((source, i) => {
        const { caption, board, label } = this.inputs[i];
        const map = source.array.isVector ? "" : `, map ${source.channel}`;
        caption.textContent = `${label === "x" ? "input" : source.label}${map}`;
        board.show(source.array, source.channel, { place: source.place });
      });
      this.output.show(this.layer.y, this.channel, { place, until });
      this.curve?.show(found.sources[0].x, found.result);
      const single = found.sources.filter((source) => source.place !== null);
      const rows = single.map(({ label, x }) => ({ label, value: x, name: "source", whole: label === "index" }));
      this.bill.replaceChildren(
        Lens.bill([...rows, ...found.steps.map(({ say, value }) => ({ label: say, value, name: "step" }))], found),
      );
    }
  }

  /** The curve of a scalar function, with the current point on it. */
  class Curve {
    constructor(apply, [low, high]) {
      this.apply = apply;
      const reach = Math.min(Math.max(Math.abs(low), Math.abs(high), 1), 50) * 1.1;
      const values = Array.from({ length: 161 }, (_, i) => apply(-reach + (i / 80) * reach));
      const [bottom, top] = [Math.min(...values, 0), Math.max(...values, 0)];
      const [width, height, edge] = [320, 130, 10];
      this.toX = (x) => edge + ((x + reach) / (2 * reach)) * (width - 2 * edge);
      this.toY = (y) => height - edge - ((y - bottom) / (top - bottom || 1)) * (height - 2 * edge);
      const path = values
        .map((y, i) => `${i ? "L" : "M"}${this.toX(-reach + (i / 80) * reach).toFixed(1)} ${this.toY(y).toFixed(1)}`)
        .join("");
      const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, class: "curve", role: "img" });
      this.label = draw("title", {});
      this.guide = draw("path", { class: "guide" });
      this.point = draw("circle", { r: 4.5, class: "point" });
      svg.append(
        this.label,
        draw("path", { class: "axis", d: `M0 ${this.toY(0)}H${width}M${this.toX(0)} 0V${height}` }),
        draw("path", { class: "graph", d: path }),
        this.guide,
        this.point,
      );
      this.reach = reach;
      this.element = make("figure", { class: "curve-figure" }, svg);
    }

    show(x, y) {
      const at = Math.min(Math.max(x, -this.reach), this.reach);
      const [cx, cy] = [this.toX(at), this.toY(this.apply(at))];
      this.point.setAttribute("cx", cx);
      this.point.setAttribute("cy", cy);
      this.guide.setAttribute("d", `M${cx} ${this.toY(0)}V${cy}H${this.toX(0)}`);
      this.label.textContent = `from ${short(x)} to ${short(y)}`;
    }
  }

  function draw(tag, attributes) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  }

  return { View };
})();
