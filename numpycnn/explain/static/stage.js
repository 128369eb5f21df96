"use strict";

/** Maps on a canvas: the two-dimensional layout of an array of any rank, thumbnails, and interactive boards. */
const Stage = (() => {
  const { make, short, place: position } = Words;
  const GAP = 1; // cells between the slices of a volume
  const WRITTEN = 30; // minimum pixels of a cell with its value as text

  /**
   * The rows and columns of one map. `places` has the position in the map for each cell, -1 for padding, -2 for a gap.
   * Images are unchanged; the slices of a volume are side by side; a vector is wrapped.
   */
  function layout(array, padding = null) {
    const pad = padding ?? array.size.map(() => [0, 0]);
    const outer = array.size.map((size, axis) => size + pad[axis][0] + pad[axis][1]);
    const inside = (index, axis) => index >= pad[axis][0] && index < pad[axis][0] + array.size[axis];
    let [rows, columns, slices] = [1, outer[0], 1];
    if (array.isVector) {
      columns = Math.min(array.count, array.count <= 32 ? 16 : Math.ceil(Math.sqrt(array.count) * 1.6));
      rows = Math.ceil(array.count / columns);
    } else if (array.size.length > 1) {
      [rows, columns] = outer.slice(-2);
      slices = outer.slice(0, -2).reduce((a, b) => a * b, 1);
    }
    const pitch = columns + GAP;
    const width = array.isVector ? columns : slices * pitch - GAP;
    const places = new Int32Array(rows * width).fill(-2);
    const cells = new Int32Array(array.count);
    const total = array.isVector ? array.count : outer.reduce((a, b) => a * b, 1);
    for (let i = 0; i < total; i++) {
      let [cell, place] = [i, i];
      if (!array.isVector) {
        const slice = Math.floor(i / (rows * columns));
        const within = i % (rows * columns);
        cell = Math.floor(within / columns) * width + slice * pitch + (within % columns);
        const indices = [];
        for (let axis = outer.length - 1, rest = i; axis >= 0; axis--) {
          indices.unshift(rest % outer[axis]);
          rest = Math.floor(rest / outer[axis]);
        }
        place = indices.every(inside) ? array.place(indices.map((index, axis) => index - pad[axis][0])) : -1;
      }
      places[cell] = place;
      if (place >= 0) cells[place] = cell;
    }

    /** The cell at indices along the axes, which may be in the padding; null beyond it. */
    function cellAt(indices) {
      const outerIndices = indices.map((index, axis) => index + pad[axis][0]);
      if (outerIndices.some((index, axis) => index < 0 || index >= outer[axis])) return null;
      const [row, column] = outerIndices.length > 1 ? outerIndices.slice(-2) : [0, outerIndices[0]];
      const slice = outerIndices.slice(0, -2).reduce((at, index, axis) => at * outer[axis] + index, 0);
      return row * width + slice * pitch + column;
    }
    return { rows, columns: width, places, cells, cellAt, sliceOf: (cell) => Math.floor((cell % width) / pitch) };
  }

  /** Set the size of a canvas to one pixel per value of a map; CSS scales it up. */
  function fit(canvas, array) {
    const at = (array.layout ??= layout(array));
    [canvas.width, canvas.height] = [at.columns, at.rows];
    return at;
  }

  /** Draw a map into a small canvas. */
  function thumbnail(canvas, array, channel, most = Colours.strongest(array)) {
    const at = fit(canvas, array);
    canvas.getContext("2d").putImageData(Colours.pixels(at, array.map(channel), most), 0, 0);
  }

  /** A canvas that shows an image of bytes. */
  function photograph(array, attributes) {
    const canvas = make("canvas", { role: "img", ...attributes });
    develop(canvas, array);
    return canvas;
  }

  function develop(canvas, array) {
    [canvas.width, canvas.height] = [array.shape[2], array.shape[1]];
    canvas.getContext("2d").putImageData(Colours.photograph(array), 0, 0);
  }

  /** A map scaled to the available space, with values as text where they fit, and frames around cells. */
  class Board {
    /** `choose(place)`, if given, is called when a value is selected by pointer or keyboard. */
    constructor({ label, padding = null, choose = null }) {
      this.padding = padding;
      this.choose = choose;
      this.canvas = make(
        "canvas",
        choose ? { role: "slider", tabindex: "0", "aria-label": label } : { role: "img", "aria-label": label },
      );
      this.element = make("div", { class: choose ? "board choosable" : "board" }, this.canvas);
      if (choose) {
        this.canvas.addEventListener("pointerdown", (event) => {
          this.dragging = true;
          this.canvas.setPointerCapture(event.pointerId);
          this.point(event);
        });
        this.canvas.addEventListener("pointermove", (event) => this.dragging && this.point(event));
        this.canvas.addEventListener("pointerup", () => (this.dragging = false));
        this.canvas.addEventListener("pointercancel", () => (this.dragging = false));
        this.canvas.addEventListener("keydown", (event) => this.key(event));
      }
    }

    /** Show a map. Values after the position `until` are faded, as not computed yet. */
    show(array, channel, { cells = [], dots = [], place = null, until = null } = {}) {
      if (array !== this.array) {
        this.array = array;
        this.at = layout(array, this.padding);
      }
      Object.assign(this, { channel, marked: cells, dots, place, until });
      if (this.choose) {
        this.canvas.setAttribute("aria-valuemin", 0);
        this.canvas.setAttribute("aria-valuemax", array.count - 1);
        this.canvas.setAttribute("aria-valuenow", place);
        this.canvas.setAttribute("aria-valuetext", `${position(array, place)}: ${short(array.at(channel, place))}`);
      }
      this.draw();
    }

    draw() {
      const { rows, columns } = this.at;
      const room = this.element.clientWidth;
      if (!this.array || !room) return;
      const tall = Math.min(320, Math.max(180, room));
      let cell = Math.min(room / columns, tall / rows, 48);
      const high = rows === 1 && columns > 8 ? Math.max(cell, 36) : cell; // a sequence is drawn as a band
      if (cell > 3) cell = Math.floor(cell);
      const ratio = window.devicePixelRatio || 1;
      const [width, height] = [cell * columns, (rows === 1 && columns > 8 ? high : cell) * rows];
      this.cell = [cell, height / rows];
      this.canvas.width = Math.round(width * ratio);
      this.canvas.height = Math.round(height * ratio);
      this.canvas.style.width = `${width}px`;
      this.canvas.style.height = `${height}px`;
      const pen = this.canvas.getContext("2d");
      pen.scale(ratio, ratio);
      this.paint(pen, width, height);
      if (cell >= WRITTEN) this.write(pen);
      this.frame(pen);
    }

    paint(pen, width, height) {
      const { rows, columns } = this.at;
      const style = getComputedStyle(this.element);
      const small = new OffscreenCanvas(columns, rows);
      const most = Colours.strongest(this.array);
      small.getContext("2d").putImageData(Colours.pixels(this.at, this.array.map(this.channel), most), 0, 0);
      if (this.padding) this.hatch(pen, width, height, style);
      pen.imageSmoothingEnabled = false;
      if (this.until === null) {
        pen.drawImage(small, 0, 0, width, height);
        return;
      }
      pen.globalAlpha = 0.14;
      pen.drawImage(small, 0, 0, width, height);
      pen.globalAlpha = 1;
      const [wide, high] = this.cell;
      for (let place = 0; place <= this.until; place++) {
        const [x, y] = this.corner(this.at.cells[place]);
        const column = this.at.cells[place] % columns;
        pen.drawImage(small, column, Math.floor(this.at.cells[place] / columns), 1, 1, x, y, wide, high);
      }
    }

    /** Hatch the padding, but not the gaps between slices. */
    hatch(pen, width, height, style) {
      pen.strokeStyle = style.getPropertyValue("--line");
      pen.lineWidth = 1;
      pen.beginPath();
      for (let x = -height; x < width; x += 6) {
        pen.moveTo(x, height);
        pen.lineTo(x + height, 0);
      }
      pen.stroke();
      this.at.places.forEach((place, cell) => place === -2 && pen.clearRect(...this.corner(cell), ...this.cell));
    }

    write(pen) {
      const most = Colours.strongest(this.array);
      const [wide, high] = this.cell;
      pen.font = `${wide >= 42 ? 11 : 9.5}px ui-monospace, monospace`;
      pen.textAlign = "center";
      pen.textBaseline = "middle";
      this.at.places.forEach((place, cell) => {
        if (place === -2 || (this.until !== null && place > this.until)) return;
        const [x, y] = this.corner(cell);
        const value = place < 0 ? 0 : this.array.at(this.channel, place);
        pen.fillStyle =
          place < 0 ? getComputedStyle(this.element).getPropertyValue("--muted") : Colours.of(value, most).ink;
        pen.fillText(place < 0 ? "0" : short(value), x + wide / 2, y + high / 2, wide - 2);
      });
    }

    corner(cell) {
      const [wide, high] = this.cell;
      return [(cell % this.at.columns) * wide, Math.floor(cell / this.at.columns) * high];
    }

    /** Draw frames around the marked cells and the current position, and the dots. */
    frame(pen) {
      const colour = getComputedStyle(this.element).getPropertyValue("--frame");
      const paper = getComputedStyle(this.element).getPropertyValue("--card");
      const [wide, high] = this.cell;
      const boxes = this.place === null ? [] : [[this.at.cells[this.place]]];
      const slices = Map.groupBy ? Map.groupBy(this.marked, this.at.sliceOf).values() : [this.marked];
      if (this.marked.length) boxes.push(...slices);
      for (const cells of boxes) {
        const corners = cells.map((cell) => this.corner(cell));
        const [left, top] = [0, 1].map((axis) => Math.min(...corners.map((corner) => corner[axis])));
        const right = Math.max(...corners.map(([x]) => x)) + wide;
        const bottom = Math.max(...corners.map(([, y]) => y)) + high;
        const [width, height] = [Math.max(right - left, 5), Math.max(bottom - top, 5)];
        pen.lineWidth = 4.5;
        pen.strokeStyle = paper;
        pen.strokeRect(left, top, width, height);
        pen.lineWidth = 2.5;
        pen.strokeStyle = colour;
        pen.strokeRect(left, top, width, height);
      }
      for (const cell of this.dots) {
        const [x, y] = this.corner(cell);
        const [right, down, radius] =
          wide >= WRITTEN ? [wide - 6, high - 6, 3] : [wide / 2, high / 2, Math.max(1.5, Math.min(wide, high) / 6)];
        pen.beginPath();
        pen.arc(x + right, y + down, radius, 0, 2 * Math.PI);
        pen.fillStyle = colour;
        pen.fill();
        pen.lineWidth = 1;
        pen.strokeStyle = paper;
        pen.stroke();
      }
    }

    point(event) {
      const box = this.canvas.getBoundingClientRect();
      const column = Math.floor((event.clientX - box.left) / this.cell[0]);
      const row = Math.floor((event.clientY - box.top) / this.cell[1]);
      if (row < 0 || column < 0 || row >= this.at.rows || column >= this.at.columns) return;
      const place = this.at.places[row * this.at.columns + column];
      if (place >= 0) this.choose(place);
    }

    key(event) {
      const across = this.array.isVector ? this.at.columns : this.array.size[this.array.size.length - 1];
      const jump = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -across, ArrowDown: across }[event.key];
      let place = jump === undefined ? null : this.place + jump;
      if (event.key === "Home") place = 0;
      if (event.key === "End") place = this.array.count - 1;
      if (place === null) return;
      event.preventDefault();
      if (place >= 0 && place < this.array.count) this.choose(place);
    }
  }

  return { layout, fit, thumbnail, photograph, develop, Board };
})();
