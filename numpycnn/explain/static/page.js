"use strict";

/** Entry point: the header, the layers of the network, and the lens on the first layer. */
const Page = (() => {
  const { apart, make, percent, plural, shape } = Words;
  const MOST = 10; // classes shown as bars
  const verdict = make("div", { class: "verdict", "aria-live": "polite" });
  const gets = make("div", { class: "gets" });

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
      make("div", { class: "overview" }, ...(drawing ? [drawing] : seen(page)), gets, verdict),
      make("p", {
        class: "hint",
        text:
          "Select a map to see how its values are computed. " +
          "Tab moves between layers, the arrow keys between maps, Enter opens a map.",
      }),
    );
    conclude(page);
    const open = (layer, channel) => Lens.open(Data.find(layer.number), channel);
    Lens.start(document.getElementById("lens"));
    Flow.show(document.getElementById("flow"), page, open);
    Colours.onChange(() => Flow.refresh());
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
    const shapes = page.inputs.map(({ y }) => shape(y.shape));
    const inputs = shapes.length > 1 ? `inputs of ${shapes.join(" and ")}` : `an input of ${shapes[0]}`;
    return `${what}: ${costs} for ${inputs}.`;
  }

  /** The original pictures. */
  function seen(page) {
    return page.inputs
      .filter(({ picture }) => picture)
      .map((input) => photograph(input.picture, `${named(input)}the picture`));
  }

  const named = ({ key }) => (key ? `${apart(key)}: ` : "");

  const photograph = (array, label, kind = "") =>
    make(
      "figure",
      {},
      make("figcaption", { text: label }),
      Stage.photograph(array, { class: `photograph ${kind}`, "aria-label": label }),
    );

  /** Show the inputs of the network and the class probabilities. */
  function conclude(page) {
    const images = page.inputs.filter(({ image }) => image);
    gets.replaceChildren(
      ...images.map((input) =>
        photograph(input.image, `${named(input)}input of the network, ${shape(input.image.shape)}`, "pixels"),
      ),
    );
    gets.hidden = !images.length;
    verdict.hidden = !page.answers.length;
    verdict.replaceChildren(
      ...(page.blank
        ? [make("p", { class: "quiet", text: "The prediction appears here." })]
        : page.answers.map((answer) => answered(answer, page.outputs.length > 1))),
    );
  }

  /** The most probable class of an output, and a bar for each. */
  function answered({ output, names, probabilities }, isNamed) {
    const order = names.map((_, i) => i);
    if (names.length > MOST) order.sort((a, b) => probabilities[b] - probabilities[a]);
    const best = probabilities.indexOf(Math.max(...probabilities));
    return make(
      "section",
      {},
      make(
        "p",
        { class: "answer" },
        make("span", { text: isNamed ? `prediction, ${apart(output)}: ` : "prediction: " }),
        make("strong", { text: names[best] ?? "nothing" }),
        make("span", { text: ` with ${percent(probabilities[best])}` }),
      ),
      make(
        "ol",
        { class: "classes" },
        ...order.slice(0, MOST).map((i) => classBar(names[i], probabilities[i], i === best)),
      ),
      names.length > MOST
        ? make("p", { class: "quiet", text: `the ${MOST} most probable of ${plural(names.length, "class", "classes")}` })
        : null,
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
    Flow.refresh();
    Lens.refresh();
  }

  return { start };
})();

Page.start();
