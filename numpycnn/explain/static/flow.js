"use strict";

/** The layers of the network: one card per layer with all its maps, branches side by side. */
const Flow = (() => {
  const { make, shape, plural, count, short } = Words;
  const FIRST = 64; // maps of a layer that are shown initially
  const cards = new Map(); // by the number of the layer
  let watcher; // draws maps when they scroll into view

  /** Fill the element; `open(layer, channel)` is called when a map is selected. */
  function show(element, page, open) {
    watcher?.disconnect();
    watcher = new IntersectionObserver(
      (entries) => {
        for (const { isIntersecting, target } of entries) {
          if (!isIntersecting) continue;
          watcher.unobserve(target);
          target.draw();
        }
      },
      { rootMargin: "200px" },
    );
    cards.clear();
    element.replaceChildren(legend(), make("ol", { class: "way" }, ...rows(page, open)));
    window.onbeforeprint = () => element.querySelectorAll(".map").forEach((button) => button.draw());
  }

  /** The inputs and layers; those of one of several inputs or outputs in a column of their own. */
  function rows(page, open) {
    const inColumn = (kind, i) =>
      page.steps.filter(({ column }) => column?.[0] === kind && column[1] === i).map((layer) => item(layer, open));
    const shared = page.steps.filter(({ column }) => !column).map((layer) => item(layer, open));
    const inputs = page.inputs.map((input, i) => [input.key, [card(input, open), ...inColumn("input", i)]]);
    const outputs = page.outputs.map((name, i) => [name, inColumn("output", i)]).filter(([, list]) => list.length);
    const first = inputs.length > 1 ? [columns("inputs", inputs)] : inputs[0][1];
    return [...first, ...shared, ...(outputs.length ? [columns("outputs", outputs)] : [])];
  }

  /** Columns side by side, each with its name. */
  function columns(kind, parts) {
    const sections = parts.map(([name, list]) =>
      make("section", { class: "branch" }, make("h4", { text: name }), make("ol", { class: "way" }, ...list)),
    );
    return make("li", { class: "layer block", data: { kind } }, make("h3", { text: kind }), make("div", { class: "branches" }, ...sections));
  }

  function legend() {
    return make(
      "div",
      { class: "legend" },
      make("span", { text: "below zero" }),
      make("span", {
        class: "ramp",
        role: "img",
        "aria-label": "colours from blue, below zero, to orange, above zero",
      }),
      make("span", { text: "above zero" }),
      make("span", { class: "quiet", text: "the strongest colour of a layer is its largest magnitude" }),
    );
  }

  const item = (layer, open) => (layer.inside.length ? block(layer, open) : card(layer, open));

  // -------------------------------------------------------------------------------------------------- blocks and cards

  /** A container: the layers inside, then its output. */
  function block(layer, open) {
    const inner = layer.branches
      ? make("div", { class: "branches" }, ...layer.inside.map((branch, i) => way(layer, branch, i, open)))
      : make("ol", { class: "way" }, ...layer.inside.map((step) => item(step, open)));
    const skip = layer.formula.type === "residual" && layer.inside.length === 1;
    if (skip)
      inner.append(
        make(
          "section",
          { class: "branch skip" },
          make("h4", { text: "shortcut" }),
          make("p", { class: "quiet", text: "the input itself" }),
        ),
      );
    const joined = { residual: "sum", concat: "concatenation" }[layer.formula.type];
    const parts = [title(layer, "h3"), make("p", { class: "what", text: Sentences.of(layer) }), origin(layer), inner];
    if (layer.y && (joined || layer.formula.type === "unknown")) {
      parts.push(
        make(
          "div",
          { class: "join" },
          make("h4", { text: joined ?? "output" }),
          facts(layer),
          maps(layer, open),
        ),
      );
    }
    return make("li", { class: "layer block", data: { kind: layer.formula.type, number: layer.number } }, ...parts);
  }

  /** One branch. A chain in it is drawn without a frame. */
  function way(layer, branch, i, open) {
    const steps = branch.inside.length && !branch.branches ? branch.inside : [branch];
    return make(
      "section",
      { class: "branch" },
      make("h4", { text: layer.branches[i] }),
      make("ol", { class: "way" }, ...steps.map((step) => item(step, open))),
    );
  }

  function card(layer, open) {
    const what = make("p", { class: "what", text: Sentences.of(layer) });
    const parts = [title(layer, "h3"), what, origin(layer), facts(layer)];
    if (layer.y) parts.push(maps(layer, open));
    else parts.push(make("p", { class: "quiet", text: layer.outputs ? `${layer.outputs} outputs` : "not used for this input" }));
    return make("li", { class: "layer", data: { kind: layer.formula.type, number: layer.number } }, ...parts);
  }

  /** In a graph, the layers that a layer takes its inputs from, unless it is the one above. */
  function origin(layer) {
    if (!layer.skips) return null;
    const names = layer.sources.map((source) => Words.apart(Sentences.name(source)));
    const many = names.length > 1;
    const list = many ? `${names.slice(0, -1).join(", ")} and ${names[names.length - 1]}` : names[0];
    return make("p", { class: "origin", text: `takes its ${many ? "inputs" : "input"} from ${list}` });
  }

  function title(layer, tag) {
    return make(
      tag,
      {},
      layer.key ? make("span", { class: "key", text: layer.key }) : null,
      make("span", { class: "kind", text: layer.kind }),
      layer.name ? make("span", { class: "name", text: `\u201c${layer.name}\u201d` }) : null,
      layer.y ? make("span", { class: "shape", text: shape(layer.y.shape) }) : null,
    );
  }

  /** Details: settings, cost, receptive field, omitted maps. */
  function facts(layer) {
    const parts = [];
    if (layer.settings && layer.settings !== `${layer.kind}()`) parts.push(make("code", { text: layer.settings }));
    if (layer.shared) parts.push(`the same layer as ${layer.shared}`);
    if (layer.parameters) parts.push(plural(layer.parameters, "parameter"));
    if (layer.multiplyAdds) parts.push(plural(layer.multiplyAdds, "multiply-add"));
    if (layer.sees && layer.sees.some((size) => size > 1)) parts.push(`receptive field ${shape(layer.sees)}`);
    if (layer.y) {
      parts.push(make("span", { class: "range", text: range(layer.y) }));
      const missing = layer.y.maps - layer.y.kept.length;
      if (missing)
        parts.push(`${plural(layer.y.kept.length, "map")} of ${count(layer.y.maps)} are in this page (size limit)`);
    }
    return make("p", { class: "facts" }, ...parts.map((part) => make("span", {}, part)));
  }

  const range = (array) => array.range.map((value) => short(value)).join(" to ");

  // -------------------------------------------------------------------------------------------------------------- maps

  /** The maps as buttons with a roving tabindex: Tab reaches one, the arrow keys the others. */
  function maps(layer, open) {
    const group = make("div", {
      class: `maps ${size(layer.y)}`,
      role: "group",
      "aria-label": `maps of ${layer.kind} ${layer.key}`,
    });
    const buttons = new Map();
    const add = (channels) => {
      for (const channel of channels) {
        const button = map(layer, channel, open);
        if (!buttons.size) button.tabIndex = 0;
        buttons.set(channel, button);
        group.append(button);
        watcher.observe(button);
      }
    };
    add(layer.y.kept.slice(0, FIRST));
    group.addEventListener("keydown", (event) => travel(event, group));
    cards.set(layer.number, { layer, buttons, group });
    const hidden = layer.y.kept.length - FIRST;
    if (hidden <= 0) return group;
    const more = make("button", { type: "button", class: "more", text: `show ${plural(hidden, "more map")}` });
    more.addEventListener("click", () => {
      add(layer.y.kept.slice(FIRST));
      buttons.get(layer.y.kept[FIRST]).focus();
      more.remove();
    });
    return make("div", {}, group, more);
  }

  function size(array) {
    if (array.isVector) return "bands";
    if (array.size.length === 1) return "lines";
    if (array.size.length > 2) return "volumes";
    return array.kept.length <= 12 ? "large" : array.kept.length <= 32 ? "middle" : "small";
  }

  function map(layer, channel, open) {
    const canvas = make("canvas");
    Stage.fit(canvas, layer.y); // reserves the space; drawn when it scrolls into view
    const name = layer.y.isVector ? plural(layer.y.count, "value") : `map ${channel}`;
    const button = make(
      "button",
      {
        type: "button",
        class: "map",
        tabindex: "-1",
        "aria-pressed": "false",
        "aria-label": `${name}, ${layer.kind} ${layer.key}`.trim(),
        title: name,
        data: { channel },
        click: () => open(layer, channel),
      },
      canvas,
    );
    button.draw = () => Stage.thumbnail(canvas, cards.get(layer.number).layer.y, channel);
    return button;
  }

  /** Move the focus between maps with the arrow keys, and on to the maps of the next layer. */
  function travel(event, group) {
    const own = [...group.querySelectorAll(".map")];
    const at = own.indexOf(event.target);
    if (at < 0) return;
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    let next = step === undefined ? null : own[at + step];
    if (event.key === "Home") next = own[0];
    if (event.key === "End") next = own[own.length - 1];
    if (event.key === "ArrowDown" || event.key === "ArrowUp")
      next = across(event.target, own, at, event.key === "ArrowDown" ? 1 : -1);
    if (next === null) return;
    event.preventDefault();
    if (!next) return;
    for (const button of next.parentElement.querySelectorAll(".map")) button.tabIndex = button === next ? 0 : -1;
    next.focus();
  }

  /** The nearest map below or above in the same group, else one in the next or previous group. */
  function across(button, own, at, direction) {
    const here = button.getBoundingClientRect();
    const away = (other) => Math.abs(other.getBoundingClientRect().left - here.left);
    const lines = own.filter((other) => Math.sign(other.offsetTop - button.offsetTop) === direction);
    if (lines.length) {
      const nearest = Math.min(...lines.map((other) => Math.abs(other.offsetTop - button.offsetTop)));
      const line = lines.filter((other) => Math.abs(other.offsetTop - button.offsetTop) === nearest);
      return line.reduce((best, other) => (away(other) < away(best) ? other : best));
    }
    const groups = [...document.querySelectorAll("#flow .maps")];
    const group = groups[groups.indexOf(button.parentElement) + direction];
    return group ? (group.querySelector('.map[tabindex="0"]') ?? group.querySelector(".map")) : undefined;
  }

  // ------------------------------------------------------------------------------------------------- marks and changes

  /** Mark the map in the lens and the maps it is computed from. */
  function mark(layer, channel, sources) {
    for (const button of document.querySelectorAll("#flow .map")) {
      button.setAttribute("aria-pressed", "false");
      button.classList.remove("feeds");
    }
    for (const source of sources) {
      for (const [from, button] of cards.get(source.layer?.number)?.buttons ?? []) {
        if (source.channels === null || source.channels.includes(from)) button.classList.add("feeds");
      }
    }
    cards.get(layer.number)?.buttons.get(channel)?.setAttribute("aria-pressed", "true");
  }

  /** Update the cards with the data of another input. */
  function refresh() {
    for (const [number, known] of cards) {
      known.layer = Data.find(number);
      for (const button of known.buttons.values()) watcher.observe(button);
      const text = known.group.closest(".join, .layer").querySelector(":scope > .facts .range");
      if (text) text.textContent = range(known.layer.y);
    }
  }

  const focus = (layer, channel) => cards.get(layer.number)?.buttons.get(channel)?.focus();

  return { show, mark, refresh, focus };
})();
