// A form made from the fields of the application, and its answer as bars, boxes, a mask or numbers.

const TONES = ["#19c3d2", "#ff8a3c", "#ffd84d", "#b88cff", "#6bd66b", "#ff6f91", "#5aa2ff", "#c9b27c"];
const tone = (place) => TONES[place % TONES.length];

function textField(input, changed) {
  const sample = typeof input.example === "object" || typeof input.example === "number" ? written(input.example) : null;
  const placeholder = sample ?? (input.says ? `Type or paste ${input.says}` : "Type or paste a text");
  const area = make("textarea", { id: `in-${input.column}`, placeholder, dir: "auto" });
  const given = new URLSearchParams(location.search).get(input.column);
  if (given) area.value = given;
  area.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) area.form.requestSubmit();
  });
  area.addEventListener("input", changed);
  const label = make("label", { htmlFor: area.id }, input.column);
  const hint = input.says ? make("p", { className: "hint" }, input.says, sample ? `, such as ${sample}` : null) : null;
  return { node: make("div", { className: "field" }, label, area, ...[hint].filter(Boolean)), value: () => area.value, clear: () => (area.value = "") };
}

// A value as JSON has it, with no more digits than one reads.
function written(value) {
  const short = (_, one) => (typeof one === "number" ? Number(one.toPrecision(4)) : one);
  return JSON.stringify(value, short).replaceAll(",", ", ").replaceAll(":", ": ");
}

function imageField(input, changed) {
  let content = null;
  const file = make("input", { type: "file", accept: "image/*", id: `in-${input.column}` });
  const drop = make("label", { className: "drop", htmlFor: file.id });
  const idle = () => drop.replaceChildren(make("b", {}, "Choose an image"), " or drop it here", file);
  function take(given) {
    if (!given) return;
    const reader = new FileReader();
    reader.addEventListener("load", () => {
      content = reader.result;
      drop.replaceChildren(make("img", { src: content, alt: given.name }), make("span", {}, given.name, " · ", make("b", {}, "another")), file);
      changed();
    });
    reader.readAsDataURL(given);
  }
  file.addEventListener("change", () => take(file.files[0]));
  for (const kind of ["dragover", "dragleave", "drop"]) {
    drop.addEventListener(kind, (event) => {
      event.preventDefault();
      drop.classList.toggle("over", kind === "dragover");
      if (kind === "drop") take(event.dataTransfer.files[0]);
    });
  }
  idle();
  return { node: make("div", { className: "field" }, make("span", { className: "label" }, input.column), drop), value: () => content, clear: idle };
}

function bars(answer) {
  const sorted = Object.entries(answer.probabilities).sort((one, other) => other[1] - one[1]);
  const chosen = [answer.prediction].flat().map(String);
  const rows = sorted.slice(0, 20).flatMap(([name, value]) => {
    const best = chosen.includes(name);
    return [
      make("dt", { className: best ? "best" : "", dir: "auto" }, name),
      make("dd", {}, meter(value, best)),
      make("dd", { className: best ? "right best" : "right" }, percent(value)),
    ];
  });
  const rest = sorted.length > 20 ? make("p", { className: "hint" }, `${sorted.length - 20} less probable ones are left out.`) : null;
  return [make("dl", { className: "bars" }, rows), rest];
}

// A picture as the form has it; small ones are shown larger, pixel by pixel.
async function scene(content) {
  const image = make("img", { src: content, alt: "the image" });
  await image.decode();
  const node = make("div", { className: image.naturalWidth < 300 ? "scene small" : "scene" }, image);
  return { node, width: image.naturalWidth, height: image.naturalHeight };
}

function drawn(tag, given, text) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(given)) node.setAttribute(name, value);
  if (text) node.textContent = text;
  return node;
}

async function boxes(answer, content) {
  const place = await scene(content);
  const plane = drawn("svg", { class: "drawn", viewBox: `0 0 ${place.width} ${place.height}`, role: "img" });
  const names = [...new Set(answer.prediction.map((box) => String(box.label)))];
  const size = Math.max(place.width, place.height) / 24;
  for (const box of answer.prediction) {
    const color = tone(names.indexOf(String(box.label)));
    const rect = drawn("rect", { x: box.left, y: box.top, width: box.right - box.left, height: box.bottom - box.top });
    const text = drawn("text", { x: box.left + size / 4, y: box.top + size }, `${box.label} ${box.score.toFixed(2)}`);
    text.style.fontSize = `${size}px`;
    rect.style.stroke = text.style.fill = color;
    plane.append(rect, text);
  }
  place.node.append(plane);
  const found = answer.prediction.map((box, row) =>
    make("li", {}, make("span", { className: "place" }, String(row + 1)), make("span", { className: "title" }, String(box.label)),
      make("small", {}, `score ${box.score.toFixed(3)} at ${[box.left, box.top, box.right, box.bottom].map(Math.round).join(", ")}`)));
  const said = `${found.length || "No"} ${found.length === 1 ? "thing" : "things"} found`;
  return [make("p", { className: "said" }, said), place.node, make("ol", { className: "list" }, found)];
}

async function mask(answer, content, about) {
  const place = await scene(content);
  const codes = await scene(`data:image/png;base64,${answer.prediction}`);
  const canvas = make("canvas", { width: codes.width, height: codes.height });
  const context = canvas.getContext("2d");
  context.drawImage(codes.node.firstChild, 0, 0);
  const pixels = context.getImageData(0, 0, codes.width, codes.height);
  const names = new Map(about.legend.map((entry) => [entry.color.join(), String(entry.class)]));
  const counts = new Map();
  for (let at = 0; at < pixels.data.length; at += 4) {
    const color = pixels.data.slice(at, at + 3).join();
    counts.set(color, (counts.get(color) ?? 0) + 1);
    // Black is mostly the ground: what lies there is to be seen as it is.
    if (color === "0,0,0") pixels.data[at + 3] = 0;
  }
  context.putImageData(pixels, 0, 0);
  place.node.append(canvas);
  const legend = [...counts].sort((one, other) => other[1] - one[1]).map(([color, count]) => {
    const sample = make("i");
    sample.style.background = `rgb(${color})`;
    return make("li", {}, sample, `${names.get(color) ?? color}, ${percent(count / (codes.width * codes.height))}`);
  });
  return [place.node, make("ul", { className: "legend" }, legend)];
}

function numbers(answer) {
  const values = answer.prediction;
  const most = Math.max(...values.map(Math.abs), 1e-12);
  const plane = drawn("svg", { class: "plot", viewBox: `0 0 ${values.length} 60`, preserveAspectRatio: "none", height: "120", role: "img" });
  values.forEach((value, at) => {
    const height = (30 * Math.abs(value)) / most;
    plane.append(drawn("rect", { x: at, y: value < 0 ? 30 : 30 - height, width: 0.8, height }));
  });
  return [make("p", { className: "said" }, `${values.length} features`), plane, make("pre", {}, values.map(number).join(", "))];
}

// What an agent does: one number, several, or an object of named parts.
function action(answer) {
  const done = answer.prediction;
  const named = done !== null && typeof done === "object" && !Array.isArray(done);
  const said = named ? Object.entries(done).map(([name, value]) => `${name}: ${written(value)}`) : [written(done)];
  const exact = JSON.stringify(done);
  return [
    make("p", { className: "label" }, "Action"),
    ...said.map((text) => make("p", { className: "said" }, text)),
    exact === said[0].replaceAll(", ", ",") ? null : make("pre", {}, exact),
  ];
}

async function told(answer, content, about) {
  if (answer.reason) return [make("p", { className: "problem" }, `There is no answer: ${answer.reason}.`)];
  if (answer.probabilities) {
    const said = [answer.prediction].flat().join(", ") || "none of the labels";
    return [make("p", { className: "said", dir: "auto" }, said), ...bars(answer)];
  }
  if (about.task === "object-detection") return boxes(answer, content);
  if (about.task === "semantic-segmentation") return mask(answer, content, about);
  if (about.task === "control") return action(answer);
  return numbers(answer);
}

function show(about) {
  const result = make("section", { id: "result", "aria-live": "polite", className: "result" });
  result.style.cssText = "margin: 0; padding: 0; border: 0";
  result.append(make("p", { className: "empty" }, "The answer comes here."));
  const pictures = about.inputs.some((input) => input.kind === "image");
  const form = make("form", {});
  const fields = about.inputs.map((input) => (input.kind === "image" ? imageField : textField)(input, () => pictures && form.requestSubmit()));
  const button = make("button", {}, "Answer");
  form.append(...fields.map((field) => field.node), button);
  if (!pictures) form.append(make("p", { className: "hint" }, "Ctrl + Enter answers too."));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const row = Object.fromEntries(about.inputs.map((input, place) => [input.column, fields[place].value()]));
    button.disabled = true;
    try {
      await doing(result, async () => {
        const [answer] = (await ask("predict", { rows: [row] })).predictions;
        result.replaceChildren(...(await told(answer, fields[0].value(), about)).filter(Boolean));
      });
    } finally {
      button.disabled = false;
    }
  });
  $("main").append(form, result);
  if (about.inputs.some((input) => new URLSearchParams(location.search).get(input.column))) form.requestSubmit();
}

start(show);
