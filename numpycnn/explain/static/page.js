"use strict";

/** Entry point: the header, the layers of the network, and the lens on the first layer. */
const Page = (() => {
  const { apart, make, percent, plural, shape } = Words;
  const MOST = 10; // classes shown as bars
  const verdict = make("div", { class: "verdict", "aria-live": "polite" });
  const gets = make("figure", { class: "gets" });

  let first; // the data in the page itself

  function start() {
    first = JSON.parse(document.getElementById("data").textContent);
    const page = Data.load(first);
    const head = document.getElementById("head");
    const drawing = typeof Draw === "undefined" ? null : Draw.panel(update);
    document.title = drawing ? "numpycnn draw" : `${apart(page.title)} \u2013 numpycnn explain`;
    head.replaceChildren(
      make("p", { class: "eyebrow", text: drawing ? "numpycnn draw" : "numpycnn explain" }),
      make("h1", { text: drawing ? "Draw a digit and watch the network" : page.title }),
      make("p", { class: "lead", text: lead(page) }),
      ...page.notes.map((note) => make("p", { class: "note", text: note })),
      make("div", { class: "overview" }, drawing ?? seen(page), gets, verdict),
      make("p", {
        class: "hint",
        text:
          "Select a map to see how its values are computed. " +
          "Tab moves between layers, the arrow keys between maps, Enter opens a map.",
      }),
    );
    conclude(page);
    const open = (layer, channel) => Lens.open(Data.page.layers[layer.number] ?? Data.page.input, channel);
    Lens.start(document.getElementById("lens"));
    Flow.show(document.getElementById("flow"), page, open);
    Colours.onChange(() => Flow.refresh(Data.page));
    if (window.matchMedia("(min-width: 900px)").matches) {
      const first = page.layers.find(
        (layer) => layer.y && layer.y.kept.length && layer.formula.type !== "unknown" && !layer.inside.length,
      );
      if (first) Lens.open(first, first.y.kept[0]);
    }
  }

  function lead(page) {
    const what = page.model === "a network" ? "A network" : apart(page.model);
    const costs = [plural(page.parameters, "parameter"), plural(page.multiplyAdds, "multiply-add")].join(", ");
    return `${what}: ${costs} for an input of ${shape(page.input.y.shape)}.`;
  }

  /** The original picture. */
  function seen(page) {
    if (!page.picture) return null;
    return make(
      "figure",
      {},
      make("figcaption", { text: "the picture" }),
      Stage.photograph(page.picture, { class: "photograph", "aria-label": "the picture" }),
    );
  }

  /** Show the input of the network and the class probabilities. */
  function conclude(page) {
    gets.replaceChildren();
    if (page.image) {
      gets.append(
        make("figcaption", { text: `input of the network, ${shape(page.image.shape)}` }),
        Stage.photograph(page.image, { class: "photograph pixels", "aria-label": "the input of the network" }),
      );
    }
    gets.hidden = !page.image;
    verdict.hidden = !page.classes;
    if (!page.classes) return;
    if (page.blank) {
      verdict.replaceChildren(make("p", { class: "quiet", text: "The prediction appears here." }));
      return;
    }
    const { names, probabilities } = page.classes;
    const order = names.map((_, i) => i);
    if (names.length > MOST) order.sort((a, b) => probabilities[b] - probabilities[a]);
    const best = probabilities.indexOf(Math.max(...probabilities));
    verdict.replaceChildren(
      make(
        "p",
        { class: "answer" },
        make("span", { text: "prediction: " }),
        make("strong", { text: names[best] ?? "nothing" }),
        make("span", { text: ` with ${percent(probabilities[best])}` }),
      ),
      make(
        "ol",
        { class: "classes" },
        ...order.slice(0, MOST).map((i) => classBar(names[i], probabilities[i], i === best)),
      ),
    );
    if (names.length > MOST)
      verdict.append(
        make("p", { class: "quiet", text: `the ${MOST} most probable of ${plural(names.length, "class", "classes")}` }),
      );
  }

  function classBar(name, probability, best) {
    const bar = make("span", { class: "fill" });
    bar.style.width = `${100 * probability}%`;
    return make(
      "li",
      { class: best ? "best" : null },
      make("span", { class: "label", text: name, title: name }),
      make("span", { class: "gauge" }, bar),
      make("data", { value: String(probability), text: percent(probability) }),
    );
  }

  /** Show the data of another image; null for the data in the page itself. */
  function update(json) {
    const page = Data.load({ blank: false, ...(json ?? first) });
    conclude(page);
    Flow.refresh(page);
    Lens.refresh(page);
  }

  return { start };
})();

Page.start();
