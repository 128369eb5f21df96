"use strict";

/** The view of values computed from a whole vector: dense layers and softmax. */
const LensTerms = (() => {
  const { make, short, exact, figure, plural, shape } = Words;
  const MOST = 12; // terms listed individually

  class View {
    constructor(layer, channel, found, choose) {
      this.layer = layer;
      this.channel = channel;
      this.choose = choose;
      this.output = new Stage.Board({ label: "output: select a value with the arrow keys", choose });
      this.maps = found.of === "dense" ? contributions(layer) : null;
      this.list = make("div", { class: "terms-place" });
      this.bill = make("div", { class: "bill-place" });
      this.element = make(
        "div",
        {},
        make(
          "div",
          { class: "boards single" },
          make("figure", {}, make("figcaption", { text: "output" }), this.output.element),
        ),
        this.maps?.element ?? null,
        this.list,
        this.bill,
      );
    }

    sources() {
      return [{ layer: this.layer.source, channels: null }];
    }

    update(found, place, until) {
      this.found = found;
      this.output.show(this.layer.y, this.channel, { place, until });
      this.maps?.update(found);
      this.list.replaceChildren(found.of === "dense" ? this.weighted(found) : this.shares(found));
      this.bill.replaceChildren(Lens.bill(found.of === "dense" ? weightedBill(found) : sharesBill(found), found));
    }

    /** The largest terms of a dense layer. */
    weighted(found) {
      const { listed } = split(found);
      const largest = Math.max(...listed.map((term) => Math.abs(term.product))) || 1;
      const rows = listed.map((term) =>
        make(
          "tr",
          {},
          make("th", { scope: "row", text: origin(this.layer, term.index) }),
          cell(term.x),
          cell(term.weight),
          bar(term.product / largest),
          cell(term.product, exact),
        ),
      );
      return listing(["input", "x", "weight", "", "product"], rows, `the ${listed.length} largest terms`);
    }

    /** The exponentials of a softmax, one per class. */
    shares(found) {
      const order = found.terms.length <= 30 ? found.terms : [...found.terms].sort((a, b) => b.x - a.x).slice(0, 20);
      const rows = order.map((term) => {
        const row = make(
          "tr",
          { class: term.index === found.own ? "own" : null },
          make("th", { scope: "row", text: Lens.unit(this.layer, term.index) }),
          cell(term.x),
          cell(term.product),
          bar(term.product / found.sum),
          make("td", {}, figure(term.product / found.sum, Words.percent)),
        );
        if (this.layer.y.isVector) row.addEventListener("click", () => this.choose(term.index));
        return row;
      });
      const text =
        order.length < found.terms.length
          ? `the ${order.length} largest of ${plural(found.terms.length, "score")}`
          : "all scores";
      return listing(["", "score z", "exp(z \u2212 largest)", "", "share"], rows, text);
    }
  }

  function split(found) {
    const order = [...found.terms].sort((a, b) => Math.abs(b.product) - Math.abs(a.product));
    return { listed: order.slice(0, MOST), others: order.slice(MOST) };
  }

  const sumOf = (terms) => terms.reduce((sum, term) => sum + term.product, 0);

  function weightedBill(found) {
    const { listed, others } = split(found);
    const rows = [{ label: `${plural(listed.length, "term")} above`, value: sumOf(listed), name: "listed" }];
    if (others.length)
      rows.push({ label: `${plural(others.length, "other term")}`, value: sumOf(others), name: "others" });
    if (found.bias !== null) rows.push({ label: "bias", value: found.bias, name: "bias" });
    return rows;
  }

  function sharesBill(found) {
    const own = found.terms[found.own];
    if (found.log) {
      return [
        { label: "z \u2212 largest", value: own.x - found.largest },
        { label: "log of the sum of all exponentials", value: Math.log(found.sum) },
      ];
    }
    return [
      { label: `exp(${short(own.x)} \u2212 ${short(found.largest)})`, value: own.product },
      { label: "divided by the sum of all", value: found.sum },
    ];
  }

  const cell = (value, format = short) => make("td", {}, figure(value, format));

  function bar(share) {
    const inner = make("span", { class: "bar" });
    Lens.stretch(inner, share);
    return make("td", { class: "wide" }, make("span", { class: "track" }, inner));
  }

  function listing(heads, rows, caption) {
    return make(
      "div",
      { class: "scroll" },
      make(
        "table",
        { class: "terms" },
        make("caption", { text: caption }),
        make("thead", {}, make("tr", {}, ...heads.map((text) => make("th", { scope: "col", text })))),
        make("tbody", {}, ...rows),
      ),
    );
  }

  /** The origin of an input of a dense layer: a position in a map, if maps were flattened before it. */
  function origin(layer, index) {
    const maps = flattened(layer);
    if (!maps) return Lens.unit(layer.source, index);
    return `map ${Math.floor(index / maps.count)}, ${maps.indices(index % maps.count).join(", ")}`;
  }

  /** The maps that were flattened to the input of a layer; null if there are none. */
  function flattened(layer) {
    let source = layer.source;
    while (source?.formula.type === "identity") source = source.source;
    return source?.formula.type === "reshape" && source.x && !source.x.isVector ? source.x : null;
  }

  /** The contribution of each position of the maps before a dense layer, as maps. */
  function contributions(layer) {
    const maps = flattened(layer);
    if (!maps || maps.maps > 512) return null;
    const canvases = Array.from({ length: maps.maps }, (_, channel) =>
      make("canvas", { class: "tile", title: `map ${channel}` }),
    );
    const element = make(
      "figure",
      { class: "contributions" },
      make("figcaption", {
        text: `contributions (x ${Words.TIMES} weight) of the ${plural(maps.maps, "map")} of ${shape(maps.size)}`,
      }),
      make("div", { class: "tiles" }, ...canvases),
    );
    const layout = Stage.layout(maps);
    function update(found) {
      const products = found.terms.map((term) => term.product);
      const most = Math.max(...products.map(Math.abs)) || 1;
      canvases.forEach((canvas, channel) => {
        [canvas.width, canvas.height] = [layout.columns, layout.rows];
        const part = products.slice(channel * maps.count, (channel + 1) * maps.count);
        canvas.getContext("2d").putImageData(Colours.pixels(layout, part, most), 0, 0);
      });
    }
    return { element, update };
  }

  return { View };
})();
