"use strict";

/** The canvas: what is drawn goes to the server, and what the network makes of it comes back into the page. */
const Draw = (() => {
  const { make } = Words;
  const SIDE = 336; // pixels of the canvas itself
  const STEP = 8; // pixels that an arrow key moves the pen

  const canvas = make("canvas", {
    width: SIDE,
    height: SIDE,
    tabindex: "0",
    role: "application",
    "aria-label": "canvas: draw with the pointer, or move the pen with the arrow keys; space puts it down and lifts it",
  });
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const status = make("p", { class: "status", role: "status", text: "Draw a digit here." });
  const width = make("input", {
    type: "range",
    min: "6",
    max: "44",
    value: "24",
    "aria-label": "width of the pen",
    input: () => (strokes.length ? changed() : redraw()), // what is drawn has this width too
  });
  const token = new URLSearchParams(location.search).get("token") ?? "";
  let strokes = []; // each a list of points, on a picture if one was opened
  let backdrop = null;
  let hand = null; // of the pointer while it draws: { id, stroke }
  let cursor = null; // of the keyboard: { x, y, down }
  let update; // is given what the server answers
  let asked = 0; // pictures that are wanted, and the last that was answered
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
        make("button", { type: "button", text: "Open\u2026", title: "open a picture", click: () => file.click() }),
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
    if (event.button !== 0 || hand) return; // another button, or a second finger
    canvas.setPointerCapture(event.pointerId);
    hand = { id: event.pointerId, stroke: [at(event)] };
    strokes.push(hand.stroke);
    changed();
  }

  function extend(event) {
    if (event.pointerId !== hand?.id) return;
    for (const point of event.getCoalescedEvents?.() ?? [event]) hand.stroke.push(at(point));
    changed();
  }

  function lift(event) {
    if (event.pointerId === hand?.id) hand = null;
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

  async function open(picture) {
    try {
      backdrop = await createImageBitmap(picture);
    } catch {
      say("That is no picture that can be opened.", true);
      return;
    }
    strokes = [];
    changed();
  }

  /** Everything anew: the strokes in black on white, and the pen of the keyboard beside them. */
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

  // --------------------------------------------------------------------------------------------------------- asking

  function changed() {
    redraw();
    asked += 1;
    if (!busy) ask();
  }

  /** Ask for the picture as it is now; if it has changed meanwhile, ask again. */
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
        update(null); // what it said of another picture is no answer to this one
        say("The server does not answer; is it still running?", true);
      }
    }
    busy = false;
  }

  async function send() {
    paint();
    const picture = await new Promise((done) => canvas.toBlob(done, "image/png"));
    redraw();
    const response = await fetch("picture", {
      method: "POST",
      headers: { "X-Token": token, "Content-Type": "image/png" },
      body: picture,
    });
    if (!response.ok) {
      const reason = await response.text();
      update(null);
      say(reason, true);
      return;
    }
    const answer = await response.json();
    update(answer.nothing ? null : answer);
    say(answer.nothing ? "Nothing to read in it yet." : "");
  }

  function say(text, failed = false) {
    status.textContent = text;
    status.classList.toggle("failed", failed);
  }

  return { panel, isBusy: () => busy || answered < asked };
})();
