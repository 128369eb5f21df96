"use strict";

/** The view of a sliding window: convolution, pooling, padding and upsampling. */
const LensWindow = (() => {
  const { make, short, exact, figure, set, plain, plural } = Words;

  class View {
    constructor(layer, channel, found, choose) {
      this.layer = layer;
      this.channel = channel;
      const sizes = found.parts.map((part) => Math.abs(part.sum ?? 0));
      this.part = Math.max(0, sizes.indexOf(Math.max(...sizes))); // input map shown; initially the largest part
      const weighted = found.combine === "sum";
      const { type, padding } = layer.formula;
      this.input = new Stage.Board({
        label: "input map",
        padding: ["convolution", "pooling", "pad"].includes(type) ? padding : null,
      });
      this.output = new Stage.Board({ label: "output map: select a value with the arrow keys", choose });
      this.from = make("figcaption");
      this.tables = weighted
        ? [new Matrix(found.kernel, "window"), new Matrix(found.kernel, "kernel"), new Matrix(found.kernel, "products")]
        : [new Matrix(found.kernel, "window", found.combine === "maximum")];
      this.sums = found.parts.length > 1 ? new Sums(layer, channel, found, (part) => this.pick(part)) : null;
      this.bill = make("div", { class: "bill-place" });
      const signs = [Words.TIMES, "="];
      const matrices = make("div", { class: "matrices" });
      this.tables.forEach((table, i) =>
        matrices.append(...(i ? [make("span", { class: "sign", text: signs[i - 1] })] : []), table.element),
      );
      this.element = make(
        "div",
        {},
        make(
          "div",
          { class: layer.x.size.length > 2 ? "boards wide" : "boards" },
          make("figure", {}, this.from, this.input.element),
          make(
            "figure",
            {},
            make("figcaption", { text: layer.y.isVector ? "output" : `output map ${channel}` }),
            this.output.element,
          ),
        ),
        matrices,
        this.sums?.element ?? null,
        this.bill,
      );
    }

    pick(part) {
      this.part = part;
      this.update(this.found, this.place, this.until);
      this.onPick?.();
    }

    /** The input channels to mark: the selected one of several, else all. */
    sources() {
      return [
        {
          layer: this.layer.source,
          channels:
            this.found.parts.length > 1
              ? [this.found.parts[this.part].channel]
              : this.found.parts.map((part) => part.channel),
        },
      ];
    }

    update(found, place, until) {
      Object.assign(this, { found, place, until });
      const part = found.parts[this.part];
      const { x, y } = this.layer;
      this.from.textContent = x.isVector ? "input" : `input map ${part.channel}`;
      this.input.show(x, part.channel, this.marks(part));
      this.output.show(y, this.channel, { place, until });
      const [window, kernel, products] = this.tables;
      const power = found.combine === "norm";
      window.show(
        part.taps,
        (tap) => tap.x,
        Colours.strongest(x),
        power ? (tap) => `|${short(tap.x)}|^${plain(found.p)} = ${short(tap.product ?? 0)}` : null,
      );
      kernel?.show(
        part.taps,
        (tap) => tap.weight,
        this.layer.formula.weight ? Colours.strongest(this.layer.formula.weight) : 1,
      );
      const largest = Math.max(...found.parts.flatMap((one) => one.taps.map((tap) => Math.abs(tap.product ?? 0)))) || 1;
      products?.show(part.taps, (tap) => tap.product, largest, null, part.sum);
      this.sums?.update(found, this.part);
      this.bill.replaceChildren(Lens.bill(this.account(found), found));
    }

    /** The cells of the input under the window, with dots on those that take part if not all do. */
    marks(part) {
      const at = Stage.layout(this.layer.x, this.input.padding);
      const cellOf = (tap) => at.cellAt(tap.indices);
      const seen = part.taps.filter((tap) => tap.state === "input" || (tap.state === "padding" && this.input.padding));
      const cells = seen.map(cellOf).filter((cell) => cell !== null);
      const sparse = (this.layer.formula.dilation ?? []).some((step) => step > 1);
      const dots = part.taps.some((tap) => tap.wins) ? part.taps.filter((tap) => tap.wins) : sparse ? seen : [];
      return { cells, dots: dots.map(cellOf).filter((cell) => cell !== null) };
    }

    account(found) {
      const parts = found.parts;
      if (found.combine === "copy")
        return [{ label: parts[0].taps[0].state === "input" ? "copied" : "zero of the padding", value: found.result }];
      if (found.combine === "maximum") return [{ label: "maximum of the window", value: found.result }];
      if (found.combine === "average") {
        return [
          {
            label: `sum of ${plural(parts[0].taps.filter((tap) => tap.state === "input").length, "value")}`,
            value: found.sum,
          },
          { label: "divided by", value: found.divisor, whole: true },
        ];
      }
      if (found.combine === "norm") {
        return [
          { label: `sum of |x|^${plain(found.p)}`, value: found.sum },
          { label: "to the power of", text: `1 / ${plain(found.p)}`, value: 1 / found.p },
        ];
      }
      const rows = [];
      const total = parts.reduce((sum, part) => sum + part.sum, 0);
      if (parts.length)
        rows.push({
          label:
            parts.length > 1
              ? `sum over ${plural(parts.length, "map")}`
              : `sum of ${plural(parts[0].taps.length, "product")}`,
          value: total,
          name: "sum",
        });
      if (found.rest !== null)
        rows.push({
          label: `${plural(found.hidden, "more map")} omitted from this page`,
          value: found.rest,
          name: "rest",
        });
      if (found.bias !== null) rows.push({ label: "bias", value: found.bias, name: "bias" });
      return rows;
    }
  }

  /** The values of a window as a table; the slices of a volume are side by side. */
  class Matrix {
    constructor(kernel, caption, emptyBorder = false) {
      this.emptyBorder = emptyBorder; // the padding is not counted, rather than zero
      const columns = kernel[kernel.length - 1];
      const rows = kernel.length > 1 ? kernel[kernel.length - 2] : 1;
      const slices = kernel.slice(0, -2).reduce((a, b) => a * b, 1);
      this.cells = [];
      this.sum = make("span", { class: "sum" });
      const tables = Array.from({ length: slices }, () => {
        const body = make("tbody");
        for (let row = 0; row < rows; row++) {
          const line = make("tr");
          for (let column = 0; column < columns; column++) {
            const cell = make("td", {}, make("data"));
            this.cells.push(cell);
            line.append(cell);
          }
          body.append(line);
        }
        return make(
          "table",
          { class: `matrix ${columns > 7 ? "tiny" : columns > 4 ? "seven" : columns === 4 ? "four" : ""}` },
          body,
        );
      });
      this.element = make(
        "figure",
        { class: "matrix-figure", data: { matrix: caption } },
        make("figcaption", { text: caption }, this.sum),
        make("div", { class: "slices" }, ...tables),
      );
    }

    show(taps, value, most, title = null, sum = null) {
      taps.forEach((tap, i) => {
        const cell = this.cells[i];
        const number = value(tap) ?? 0;
        const absent =
          tap.state === "outside" || tap.state === "between" || (this.emptyBorder && tap.state === "padding");
        set(cell.firstChild, number, absent ? () => "\u00b7" : short);
        const { paper, ink } = Colours.of(number, most);
        const blank = absent || (tap.state === "padding" && number === 0);
        cell.style.backgroundColor = blank ? "" : paper;
        cell.style.color = blank ? "" : ink;
        cell.className = `${tap.state}${tap.wins ? " wins" : ""}`;
        cell.title = title ? title(tap) : `${short(number)}${tap.state === "padding" ? ", padding" : ""}`;
      });
      if (sum !== null) this.sum.replaceChildren(", sum ", figure(sum, short));
    }
  }

  /** The contribution of each input map: a line with map, kernel, bar and sum. */
  class Sums {
    constructor(layer, channel, found, pick) {
      const list = make("ol", { class: "sums" });
      this.lines = found.parts.map((part, i) => {
        const [map, kernel] = [make("canvas", { class: "tile" }), make("canvas", { class: "tile" })];
        const bar = make("span", { class: "bar" });
        const value = make("data", { data: { name: "part" } });
        const button = make(
          "button",
          { type: "button", class: "part", "aria-pressed": "false", click: () => pick(i) },
          make("span", { class: "label", text: `map ${part.channel}` }),
          map,
          make("span", { class: "sign", text: Words.TIMES }),
          kernel,
          make("span", { class: "track" }, bar),
          value,
        );
        list.append(make("li", {}, button));
        tile(kernel, found.kernel, part, Colours.strongest(layer.formula.weight));
        return { map, bar, value, button, channel: part.channel };
      });
      this.layer = layer;
      this.list = list;
      this.element = make(
        "div",
        { class: "sums-place" },
        make("h4", { text: `contribution of each of ${plural(found.parts.length, "input map")}` }),
        list,
      );
    }

    update(found, chosen) {
      const largest = Math.max(...found.parts.map((part) => Math.abs(part.sum))) || 1;
      found.parts.forEach((part, i) => {
        const line = this.lines[i];
        if (line.drawn !== this.layer.x) {
          Stage.thumbnail(line.map, this.layer.x, part.channel);
          line.drawn = this.layer.x;
        }
        Lens.stretch(line.bar, part.sum / largest);
        set(line.value, part.sum, exact);
        line.button.setAttribute("aria-pressed", String(i === chosen));
        line.button.setAttribute("aria-label", `map ${line.channel} contributes ${short(part.sum)}; show its window`);
      });
      if (chosen === this.chosen) return;
      this.chosen = chosen;
      const { offsetTop, offsetHeight } = this.lines[chosen].button;
      const [top, high] = [offsetTop - this.list.offsetTop, this.list.clientHeight];
      if (top < this.list.scrollTop || top + offsetHeight > this.list.scrollTop + high)
        this.list.scrollTop = top - high / 2;
    }
  }

  /** Draw a kernel as a tile. */
  function tile(canvas, kernel, part, most) {
    const columns = kernel[kernel.length - 1];
    const layout = { rows: part.taps.length / columns, columns, places: part.taps.map((_, i) => i) };
    [canvas.width, canvas.height] = [columns, layout.rows];
    canvas.getContext("2d").putImageData(
      Colours.pixels(
        layout,
        part.taps.map((tap) => tap.weight),
        most,
      ),
      0,
      0,
    );
  }

  return { View };
})();
