"use strict";

/** The panel that shows the computation of one value of a layer, and steps through the values of a map. */
const Lens = (() => {
  const { make, icon, short, exact, figure, plural, place: position } = Words;
  const VIEWS = { window: LensWindow, number: LensNumber, terms: LensTerms };
  const SPEEDS = [1, 2, 4, 8, 16, 32, 64]; // values per second
  const TOLERANCE = 1e-4;

  let panel; // the element
  let shown = null; // { layer, channel, place, view, chosen }; `chosen` if the user picked the place
  let timer = null;
  let speed = 8;
  const parts = {};

  const narrow = window.matchMedia("(max-width: 899px)");

  function start(element) {
    panel = element;
    parts.title = make("h2", { tabindex: "-1" });
    parts.what = make("p", { class: "what" });
    parts.where = make("output", { class: "where" });
    parts.body = make("div", { class: "calculation" });
    parts.play = button("play", "play", () => (timer ? stop() : play()));
    const shut = make(
      "button",
      { type: "button", class: "icon shut", "aria-label": "close", title: "close", click: close },
      icon("close"),
    );
    const slider = make("input", {
      type: "range",
      min: "0",
      max: String(SPEEDS.length - 1),
      value: "3",
      "aria-label": "speed",
      input: () => (speed = SPEEDS[slider.value]),
    });
    parts.controls = make(
      "div",
      { class: "controls", role: "group", "aria-label": "step through the output" },
      button("first", "first value", () => go(0)),
      button("back", "previous value", () => go(shown.place - 1)),
      parts.play,
      button("step", "next value", () => go(shown.place + 1)),
      button("last", "last value", () => go(shown.layer.y.count - 1)),
      make("label", { class: "speed" }, make("span", { text: "speed" }), slider),
      parts.where,
    );
    panel.replaceChildren(
      make("div", { class: "lens-head" }, parts.title, shut),
      parts.what,
      parts.controls,
      parts.body,
    );
    panel.addEventListener("keydown", (event) => event.key === "Escape" && close());
    new ResizeObserver(() => shown && render()).observe(parts.body);
    Colours.onChange(() => shown && render());
    narrow.addEventListener("change", () => cover(narrow.matches && panel.classList.contains("open")));
  }

  function button(name, label, click) {
    return make(
      "button",
      { type: "button", class: "icon", "aria-label": label, title: label, data: { action: name }, click },
      icon(name),
    );
  }

  // ----------------------------------------------------------------------------------------------------------- display

  /** Show a map of a layer, at its strongest value. */
  function open(layer, channel) {
    stop();
    shown = { layer, channel, place: strongest(layer, channel), chosen: false };
    panel.classList.add("open");
    parts.title.replaceChildren(
      make("span", { text: `${layer.kind} ${layer.key}`.trim() }),
      make("small", { text: layer.y.isVector ? plural(layer.y.count, "value") : `map ${channel}` }),
    );
    parts.what.textContent = Sentences.of(layer);
    build();
    render();
    if (narrow.matches) {
      cover(true);
      parts.title.focus();
      panel.scrollTop = 0;
    }
  }

  function build() {
    const { layer, channel, place } = shown;
    const found = Arithmetic.explain(layer, channel, place);
    const View = VIEWS[found.kind]?.View ?? Unknown;
    shown.kind = found.kind;
    shown.view = new View(layer, channel, found, (to) => (stop(), go(to)));
    shown.view.onPick = () => Flow.mark(layer, channel, shown.view.sources());
    parts.body.replaceChildren(shown.view.element);
  }

  function render() {
    const { layer, channel, place, view } = shown;
    const found = Arithmetic.explain(layer, channel, place);
    if (found.kind !== shown.kind) {
      build();
      render();
      return;
    }
    view.update(found, place, timer ? place : null);
    parts.where.textContent = `${layer.y.isVector ? unit(layer, place) : position(layer.y, place)}`;
    if (!timer) Flow.mark(layer, channel, view.sources());
  }

  /** The position with the largest magnitude in a map; in a vector, the largest value. */
  function strongest(layer, channel) {
    const numbers = layer.y.map(channel);
    const size = layer.y.isVector ? (value) => value : Math.abs;
    let best = 0;
    for (let i = 1; i < numbers.length; i++) if (size(numbers[i]) > size(numbers[best])) best = i;
    return best;
  }

  /** Show the data of another image, with the same map and a chosen position. */
  function refresh() {
    if (!shown) return;
    const layer = Data.find(shown.layer.number);
    const { channel, chosen } = shown;
    shown = { layer, channel, place: chosen ? shown.place : strongest(layer, channel), chosen };
    const scroll = panel.scrollTop;
    build();
    render();
    panel.scrollTop = scroll;
  }

  /** Turn the panel into a modal dialog over the page, or back into a part of the page. */
  function cover(covers) {
    document.body.classList.toggle("covered", covers);
    for (const rest of ["head", "flow"]) document.getElementById(rest).inert = covers;
    for (const [name, value] of [
      ["role", "dialog"],
      ["aria-modal", "true"],
    ]) {
      if (covers) panel.setAttribute(name, value);
      else panel.removeAttribute(name);
    }
  }

  function close() {
    stop();
    panel.classList.remove("open");
    cover(false); // first, since an inert element cannot take the focus
    if (shown) Flow.focus(shown.layer, shown.channel);
  }

  // ---------------------------------------------------------------------------------------------------------- stepping

  function go(place) {
    const { layer } = shown;
    if (place < 0 || place >= layer.y.count) return;
    Object.assign(shown, { place, chosen: true });
    render();
  }

  function play() {
    if (shown.place >= shown.layer.y.count - 1) shown.place = 0;
    timer = setTimeout(tick, 0);
    parts.play.replaceChildren(icon("pause"));
    parts.play.setAttribute("aria-label", "pause");
    parts.play.title = "pause";
  }

  function tick() {
    const last = shown.layer.y.count - 1;
    const jump = Math.max(1, Math.round(speed / 20)); // about 20 redraws per second at most
    go(Math.min(last, shown.place + jump));
    if (shown.place >= last) stop();
    else timer = setTimeout(tick, (1000 * jump) / speed);
  }

  function stop() {
    if (!timer) return;
    clearTimeout(timer);
    timer = null;
    parts.play.replaceChildren(icon("play"));
    parts.play.setAttribute("aria-label", "play");
    parts.play.title = "play";
    render();
  }

  // ----------------------------------------------------------------------------------------------- shared by the views

  /** A table with a row per term, the result, and its comparison with the output of the network. */
  function bill(rows, found) {
    const lines = rows.map(({ label, value, name = "entry", text = null, whole = false }) =>
      make(
        "tr",
        {},
        make("th", { scope: "row", text: label }),
        make("td", {}, figure(value, text ? () => text : whole ? String : exact, name)),
      ),
    );
    const difference = Math.abs(found.result - found.output);
    const agrees =
      Object.is(found.result, found.output) || difference <= TOLERANCE * Math.max(1, Math.abs(found.output));
    const verdict = agrees
      ? difference < 1e-7
        ? "the same"
        : `the same to ${short(difference)}`
      : `a difference of ${short(difference)}`;
    return make(
      "table",
      { class: "bill" },
      make(
        "tbody",
        {},
        ...lines,
        make(
          "tr",
          { class: "total" },
          make("th", { scope: "row", text: "result" }),
          make("td", {}, figure(found.result, exact, "result")),
        ),
        make(
          "tr",
          { class: agrees ? "check" : "check wrong" },
          make("th", { scope: "row", text: `output of the network ${agrees ? "\u2713" : "\u26a0"} ${verdict}` }),
          make("td", {}, figure(found.output, exact, "output")),
        ),
      ),
    );
  }

  /** Set the length of a bar from the center of its track, to the left if negative. */
  function stretch(bar, share) {
    const width = Math.min(1, Math.abs(share) || 0) * 50;
    bar.style.width = `${width}%`;
    bar.style.left = share < 0 ? `${50 - width}%` : "50%";
    bar.classList.toggle("negative", share < 0);
  }

  /** The label of an element of a vector: its class in the layer of the scores, else its index. */
  function unit(layer, index) {
    const answer = Data.page.answers.find(
      ({ layer: last }) => layer && (layer === last || layer === last.source || layer.y === last.y),
    );
    const scores = answer && layer.y.isVector && layer.y.count === answer.names.length;
    return scores ? `class ${Words.apart(answer.names[index])}` : `element ${index}`;
  }

  /** The view of a layer that the page cannot compute, or with too many arrays omitted. */
  class Unknown {
    constructor(layer, channel, found, choose) {
      this.layer = layer;
      this.channel = channel;
      this.output = new Stage.Board({ label: "output: select a value with the arrow keys", choose });
      const same = layer.x && layer.x.kept.includes(channel) && layer.x.count === layer.y.count;
      this.input = same ? new Stage.Board({ label: "input" }) : null;
      const figures = make("div", { class: "boards" });
      if (same)
        figures.append(make("figure", {}, make("figcaption", { text: `input map ${channel}` }), this.input.element));
      figures.append(
        make(
          "figure",
          {},
          make("figcaption", { text: layer.y.isVector ? "output" : `map ${channel}` }),
          this.output.element,
        ),
      );
      this.value = make("p", { class: "value" });
      const known = layer.formula.type === "unknown" || layer.formula.type === "input";
      const note = known
        ? null
        : "The inputs of this value are not in the page: they were omitted to limit its size.";
      this.element = make("div", {}, figures, this.value, note ? make("p", { class: "quiet", text: note }) : null);
    }

    sources() {
      return [];
    }

    update(found, place, until) {
      if (this.input) this.input.show(this.layer.x, this.channel, { place });
      this.output.show(this.layer.y, this.channel, { place, until });
      this.value.replaceChildren("The value is ", figure(found.output, exact, "output"), ".");
    }
  }

  return { start, open, refresh, bill, stretch, unit };
})();
