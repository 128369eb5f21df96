"use strict";

/** The canvas: sends the drawing to the server, and updates the page with the response. */
const Draw = (() => {
  const { make } = Words;
  const SIDE = 336; // pixels of the canvas itself
  const STEP = 8; // pixels that an arrow key moves the pen

  const canvas = make("canvas", {
    width: SIDE,
    height: SIDE,
    tabindex: "0",
    role: "application",
    "aria-label": "canvas: draw with the pointer, or move the pen with the arrow keys; space lowers and lifts it",
  });
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const status = make("p", { class: "status", role: "status", text: "Draw a digit here." });
  const width = make("input", {
    type: "range",
    min: "6",
    max: "44",
    value: "24",
    "aria-label": "width of the pen",
    input: () => (strokes.length ? changed() : redraw()), // applies to existing strokes too
  });
  const token = new URLSearchParams(location.search).get("token") ?? "";
  let strokes = []; // lists of points, drawn over `backdrop`
  let backdrop = null;
  let active = null; // the stroke of the pointer: { id, stroke }
  let cursor = null; // the pen of the keyboard: { x, y, down }
  let update; // callback for the response of the server
  let asked = 0; // the latest version of the drawing, and the latest sent
  let answered = 0;
  let busy = false;

  function panel(onAnswer) {
    update = onAnswer;
    const file = make("input", {
      type: "file",
      accept: "image/png,image/jpeg",
      hidden: true,
      change: () => file.files[0] && open(file.files[0]),
    });
    canvas.addEventListener("pointerdown", begin);
    canvas.addEventListener("pointermove", extend);
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, lift);
    canvas.addEventListener("keydown", key);
    canvas.addEventListener("blur", () => ((cursor = null), redraw()));
    redraw();
    return make(
      "figure",
      { class: "drawing" },
      make("figcaption", { text: "draw here" }),
      canvas,
      make(
        "div",
        { class: "tools" },
        make("button", { type: "button", text: "Clear", click: clear }),
        make("button", { type: "button", text: "Undo", click: undo }),
        make("button", { type: "button", text: "Open\u2026", title: "open an image", click: () => file.click() }),
        file,
      ),
      make("label", { class: "tools" }, make("span", { text: "pen" }), width),
      status,
    );
  }

  // --------------------------------------------------------------------------------------------------------- drawing

  function at(event) {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * SIDE, ((event.clientY - box.top) / box.height) * SIDE];
  }

  function begin(event) {
    if (event.button !== 0 || active) return; // another button, or a second finger
    canvas.setPointerCapture(event.pointerId);
    active = { id: event.pointerId, stroke: [at(event)] };
    strokes.push(active.stroke);
    changed();
  }

  function extend(event) {
    if (event.pointerId !== active?.id) return;
    for (const point of event.getCoalescedEvents?.() ?? [event]) active.stroke.push(at(point));
    changed();
  }

  function lift(event) {
    if (event.pointerId === active?.id) active = null;
  }

  function key(event) {
    const [x, y] = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] }[
      event.key
    ] ?? [0, 0];
    if (!x && !y && event.key !== " ") return;
    event.preventDefault();
    cursor ??= { x: SIDE / 2, y: SIDE / 4, down: false };
    if (event.key === " ") {
      cursor.down = !cursor.down;
      if (cursor.down) strokes.push([]);
    }
    cursor.x = Math.min(SIDE, Math.max(0, cursor.x + x));
    cursor.y = Math.min(SIDE, Math.max(0, cursor.y + y));
    if (cursor.down) strokes[strokes.length - 1].push([cursor.x, cursor.y]);
    if (cursor.down) changed();
    else redraw();
  }

  function clear() {
    [strokes, backdrop] = [[], null];
    changed();
  }

  function undo() {
    strokes.pop();
    changed();
  }

  async function open(file) {
    try {
      backdrop = await createImageBitmap(file);
    } catch {
      say("This file is not a readable image.", true);
      return;
    }
    strokes = [];
    changed();
  }

  /** Redraw the strokes in black on white, and the pen of the keyboard. */
  function redraw() {
    paint();
    if (!cursor) return;
    pen.beginPath();
    pen.arc(cursor.x, cursor.y, Number(width.value) / 2 + 3, 0, 2 * Math.PI);
    pen.strokeStyle = cursor.down ? "#cf6d17" : "#0b5cad";
    pen.lineWidth = 3;
    pen.stroke();
  }

  function paint() {
    pen.fillStyle = "#ffffff";
    pen.fillRect(0, 0, SIDE, SIDE);
    if (backdrop) {
      const scale = Math.min(SIDE / backdrop.width, SIDE / backdrop.height);
      const [wide, high] = [backdrop.width * scale, backdrop.height * scale];
      pen.drawImage(backdrop, (SIDE - wide) / 2, (SIDE - high) / 2, wide, high);
    }
    pen.strokeStyle = "#000000";
    pen.lineWidth = Number(width.value);
    pen.lineCap = pen.lineJoin = "round";
    for (const stroke of strokes) {
      if (!stroke.length) continue;
      pen.beginPath();
      pen.moveTo(...stroke[0]);
      for (const [x, y] of stroke) pen.lineTo(x + (stroke.length === 1 ? 0.1 : 0), y); // a single point is a dot
      pen.stroke();
    }
  }

  // ------------------------------------------------------------------------------------------------------- requests

  function changed() {
    redraw();
    asked += 1;
    if (!busy) ask();
  }

  /** Send the current drawing; repeat if it changed in the meantime. */
  async function ask() {
    busy = true;
    while (answered < asked) {
      answered = asked;
      if (!strokes.length && !backdrop) {
        update(null);
        say("Draw a digit here.");
        continue;
      }
      try {
        await send();
      } catch {
        update(null); // the last response is outdated
        say("The server does not respond; is it still running?", true);
      }
    }
    busy = false;
  }

  async function send() {
    paint();
    const image = await new Promise((done) => canvas.toBlob(done, "image/png"));
    redraw();
    const response = await fetch("picture", {
      method: "POST",
      headers: { "X-Token": token, "Content-Type": "image/png" },
      body: image,
    });
    if (!response.ok) {
      const reason = await response.text();
      update(null);
      say(reason, true);
      return;
    }
    const answer = await response.json();
    update(answer.nothing ? null : answer);
    say(answer.nothing ? "The drawing is blank." : "");
  }

  function say(text, failed = false) {
    status.textContent = text;
    status.classList.toggle("failed", failed);
  }

  return { panel, isBusy: () => busy || answered < asked };
})();
