// The picture: drawing, moving, folding, searching, and what is said of a node. All text is put in as text, never as markup.

const page = JSON.parse(document.getElementById("data").textContent);
const at = (id) => document.getElementById(id);
const svg = at("picture"), stage = at("stage");
const nodes = new Map(page.nodes.map((node) => [node.id, node]));
const groups = new Map(page.groups.map((group) => [group.id, group]));
const state = { folded: new Set(page.groups.filter((group) => group.folded).map((group) => group.id)), chosen: null, hits: [], view: null, drawn: null, step: 0 };

function made(tag, attributes = {}, ...children) {
  const element = tag.startsWith("svg:") ? document.createElementNS("http://www.w3.org/2000/svg", tag.slice(4)) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== undefined && value !== false) element.setAttribute(name, value);
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

// ------------------------------------------------------------------------------------------------ drawing

const ruler = document.createElement("canvas").getContext("2d");
function widthOf(text, font) {
  ruler.font = `${font} system-ui, "Segoe UI", Helvetica, Arial, sans-serif`;
  return ruler.measureText(text).width;
}

function linesOf(id) {
  const node = nodes.get(id);
  if (node) return [node.label, [node.shape, node.dtype].filter(Boolean).join(" ")];
  const group = groups.get(id);
  return [`▸ ${group.title}`, counted(group)];
}

const counted = (group) => `${group.size} node${group.size === 1 ? "" : "s"}`;

const sizes = new Map();
function measure(id) {
  if (!sizes.has(id)) {
    const [name, kind] = linesOf(id);
    sizes.set(id, { w: Math.max(54, Math.ceil(Math.max(widthOf(name, "600 13px"), widthOf(kind, "11px")) + 22)), h: kind ? 42 : 28 });
  }
  return sizes.get(id);
}

function draw() {
  const focus = document.activeElement?.dataset?.id;
  state.drawn = layOut(page, state.folded, measure, (id) => widthOf(groups.get(id).title, "12px") + 36, page.down);
  const byOrder = [...state.drawn.boxes].sort(([p], [q]) => orderOf(p) - orderOf(q));
  stage.replaceChildren(...[...state.drawn.groups].map(groupShape), ...state.drawn.lines.flatMap(lineShapes), ...byOrder.map(nodeShape));
  mark();
  if (focus) shapeOf(focus)?.focus({ preventScroll: true });
}

function orderOf(id) {
  return nodes.get(id)?.order ?? Math.min(...page.nodes.filter((node) => homesOf(node).includes(id)).map((node) => node.order));
}

function homesOf(node) {
  const homes = [];
  for (let group = groups.get(node.group); group; group = groups.get(group.parent)) homes.push(group.id);
  return homes;
}

function shownAs(id) { // the folded group that a node is in, or itself
  return homesOf(nodes.get(id)).filter((home) => state.folded.has(home)).at(-1) ?? id;
}

const shapeOf = (id) => stage.querySelector(`[data-id="${CSS.escape(id)}"]`);

function groupShape([id, box]) {
  const group = groups.get(id);
  const shape = made("svg:g", { class: `group ${group.kind}`, tabindex: 0, role: "button", "data-id": id, "aria-expanded": "true", "aria-label": `${group.title}, unfolded; Enter folds` },
    made("svg:rect", { x: box.x, y: box.y, width: box.w, height: box.h, rx: 10 }),
    made("svg:text", { x: box.x + 10, y: box.y + 15 }, `▾ ${group.title}`));
  return listening(shape, id);
}

function nodeShape([id, box]) {
  const [name, kind] = linesOf(id), node = nodes.get(id), middle = box.x + box.w / 2;
  const said = node ? `${name}, ${kind}` : `${groups.get(id).title}, folded; Enter unfolds`;
  const shape = made("svg:g", { class: `node ${node ? node.kind : "fold closed"} ${node?.output ? "output" : ""}`, tabindex: 0, role: "button", "data-id": id, "aria-label": said, "aria-expanded": node ? undefined : "false" },
    made("svg:rect", { x: box.x, y: box.y, width: box.w, height: box.h, rx: node?.op ? 6 : 14 }),
    made("svg:text", { class: "name", x: middle, y: box.y + (kind ? 18 : 19), "text-anchor": "middle" }, name),
    kind && made("svg:text", { class: "kind", x: middle, y: box.y + 33, "text-anchor": "middle" }, kind));
  return listening(shape, id);
}

function lineShapes(line) {
  const all = (test) => line.edges.every((i) => test(page.edges[i]));
  const kind = all((edge) => edge.assigned) ? "assigned" : all((edge) => edge.phase === "backward") ? "backward" : "";
  const { x, y } = line.end, path = made("svg:path", { class: `line ${kind}`, d: line.path, "data-edges": line.edges.join(" ") });
  const tip = page.down ? `M${x - 4},${y - 4} L${x + 4},${y - 4} L${x},${y + 4}Z` : `M${x - 4},${y - 4} L${x + 4},${y} L${x - 4},${y + 4}Z`;
  const shapes = [path, made("svg:path", { class: `arrow ${kind}`, d: tip, "data-edges": line.edges.join(" ") })];
  const place = line.edges.length === 1 ? page.edges[line.edges[0]].place : "";
  if (place !== "") shapes.push(made("svg:text", { class: "tick", x: page.down ? x + 6 : x - 6, y: page.down ? y - 6 : y - 4, "text-anchor": page.down ? "start" : "end" }, place));
  if (line.edges.length > 1) shapes.push(made("svg:text", { class: "tick", x: x - 18, y: y - 4 }, `×${line.edges.length}`));
  return shapes;
}

function listening(shape, id) {
  shape.addEventListener("click", () => act(id));
  shape.addEventListener("mouseenter", (event) => tell(id, event));
  shape.addEventListener("mousemove", (event) => tell(id, event));
  shape.addEventListener("mouseleave", () => (at("tip").hidden = true));
  shape.addEventListener("focus", () => near(id));
  return shape;
}

function act(id) {
  if (svg.dataset.moved) return;
  if (groups.has(id)) toggle(id);
  else choose(id);
}

function toggle(id) {
  state.folded.has(id) ? state.folded.delete(id) : state.folded.add(id);
  draw();
}

function foldAll(fold) {
  state.folded = new Set(fold ? groups.keys() : []);
  draw();
  fit();
}

// Classes that say what is chosen, found and where the computation is.
function mark() {
  const step = state.step ? page.steps[state.step - 1] : null;
  const reached = new Set(), back = new Set();
  for (const one of page.steps.slice(0, state.step)) {
    reached.add(one.node);
    if (one.phase === "backward") for (const i of one.edges) back.add(page.edges[i].from);
  }
  const started = page.steps.length && state.step;
  for (const shape of stage.querySelectorAll("[data-id]")) {
    const id = shape.dataset.id, members = nodes.has(id) ? [id] : page.nodes.filter((node) => homesOf(node).includes(id)).map((node) => node.id);
    const is = (name, yes) => shape.classList.toggle(name, Boolean(yes));
    is("chosen", id === state.chosen);
    is("hit", state.hits.some((hit) => members.includes(hit)) && !shape.classList.contains("group"));
    if (shape.classList.contains("group")) continue;
    is("faded", started && !members.some((member) => reached.has(member) || !nodes.get(member).op));
    is("now", step?.phase === "forward" && members.includes(step.node));
    is("back-now", step?.phase === "backward" && members.includes(step.node));
    is("has-gradient", members.some((member) => back.has(member)));
  }
  for (const shape of stage.querySelectorAll("[data-edges]")) {
    const edges = shape.dataset.edges.split(" ").map(Number);
    shape.classList.toggle("back-now", step?.phase === "backward" && edges.some((i) => step.edges.includes(i)));
    shape.classList.toggle("near", Boolean(state.chosen) && edges.some((i) => page.edges[i].from === state.chosen || page.edges[i].to === state.chosen));
    shape.classList.toggle("faded", Boolean(started) && !edges.some((i) => reached.has(page.edges[i].to)));
  }
}

// ---------------------------------------------------------------------------------------- moving, zooming

function show() {
  const { x, y, scale } = state.view;
  stage.setAttribute("transform", `translate(${x},${y}) scale(${scale})`);
}

function fit() {
  const { clientWidth: w, clientHeight: h } = svg, { width, height } = state.drawn;
  const scale = Math.min(1.4, (w - 48) / width, (h - 72) / height);
  state.view = { scale, x: (w - width * scale) / 2, y: Math.max(16, (h - 32 - height * scale) / 2) };
  show();
}

function begin() { // whole if it can be read so, else its beginning
  fit();
  if (state.view.scale > 0.6) return;
  const scale = 0.85, { clientHeight: h } = svg, { height } = state.drawn;
  state.view = page.down ? { scale, x: state.view.x, y: 16 } : { scale, x: 24, y: Math.max(16, (h - 32 - height * scale) / 2) };
  if (page.down) state.view.x = (svg.clientWidth - state.drawn.width * scale) / 2;
  show();
}

function zoom(factor, x = svg.clientWidth / 2, y = svg.clientHeight / 2) {
  const view = state.view, scale = Math.min(6, Math.max(0.02, view.scale * factor));
  view.x = x - ((x - view.x) * scale) / view.scale;
  view.y = y - ((y - view.y) * scale) / view.scale;
  view.scale = scale;
  show();
}

function near(id) { // bring a shape into sight
  const box = state.drawn.boxes.get(id) ?? state.drawn.groups.get(id), { x, y, scale } = state.view;
  if (!box) return;
  const left = box.x * scale + x, top = box.y * scale + y, margin = 24;
  const right = left + box.w * scale, bottom = top + box.h * scale;
  if (left < margin || right > svg.clientWidth - margin) state.view.x += svg.clientWidth / 2 - (left + right) / 2;
  if (top < margin || bottom > svg.clientHeight - margin) state.view.y += svg.clientHeight / 2 - (top + bottom) / 2;
  show();
}

svg.addEventListener("wheel", (event) => {
  event.preventDefault();
  const place = svg.getBoundingClientRect();
  zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), event.clientX - place.left, event.clientY - place.top);
}, { passive: false });

const fingers = new Map();
svg.addEventListener("pointerdown", (event) => {
  fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  delete svg.dataset.moved;
});
addEventListener("pointermove", (event) => {
  const before = fingers.get(event.pointerId);
  if (!before) return;
  const [dx, dy] = [event.clientX - before.x, event.clientY - before.y];
  if (!svg.dataset.moved && Math.hypot(dx, dy) < 4) return;
  svg.dataset.moved = "yes";
  svg.classList.add("dragged");
  const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
  fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  if (other) {
    const place = svg.getBoundingClientRect(), was = Math.hypot(before.x - other.x, before.y - other.y) || 1;
    zoom(Math.hypot(event.clientX - other.x, event.clientY - other.y) / was, (event.clientX + other.x) / 2 - place.left, (event.clientY + other.y) / 2 - place.top);
  } else {
    state.view.x += dx;
    state.view.y += dy;
    show();
  }
});
for (const kind of ["pointerup", "pointercancel"]) addEventListener(kind, (event) => {
  fingers.delete(event.pointerId);
  svg.classList.remove("dragged");
  if (svg.dataset.moved) setTimeout(() => delete svg.dataset.moved);
});

// -------------------------------------------------------------------------------------- what is said of a node

function tell(id, event) {
  const tip = at("tip"), place = svg.getBoundingClientRect();
  tip.replaceChildren(...(nodes.has(id) ? numbers(nodes.get(id)) : [made("h2", {}, groups.get(id).title), made("p", {}, counted(groups.get(id)))]));
  tip.hidden = false;
  const [x, y] = [event.clientX - place.left + 16, event.clientY - place.top + 16];
  tip.style.left = `${Math.max(4, Math.min(x, place.width - tip.offsetWidth - 8))}px`;
  tip.style.top = `${Math.max(4, Math.min(y, place.height - tip.offsetHeight - 8))}px`;
}

function numbers(node) {
  const parts = [made("h2", {}, node.label), made("p", {}, [node.about, node.shape, node.dtype].filter(Boolean).join(" · "))];
  parts.push(...numbersOf("value", node.value, ""), ...numbersOf("gradient", node.gradient, "back"));
  return parts;
}

function numbersOf(title, what, kind) {
  if (!what) return [];
  return [made("h3", {}, title), made("pre", { "data-numbers": title }, what.text), what.bins ? histogram(what, kind) : null].filter(Boolean);
}

function histogram({ bins, low, high }, kind) {
  const w = 240, h = 46, most = Math.max(...bins), each = w / bins.length;
  return made("svg:svg", { class: `histogram ${kind}`, width: w, height: h + 14, role: "img", "aria-label": `Histogram from ${low} to ${high}` },
    ...bins.map((n, i) => made("svg:rect", { x: i * each, y: h - (n / most) * h, width: each - 1, height: (n / most) * h })),
    made("svg:text", { x: 0, y: h + 11 }, low), made("svg:text", { x: w, y: h + 11, "text-anchor": "end" }, high));
}

function choose(id) {
  state.chosen = id;
  const details = at("details"), node = id && nodes.get(id);
  if (!node) details.replaceChildren();
  else {
    const way = (title, edges, end) => edges.length ? [made("h3", {}, title), ...edges.map((edge) => goButton(edge, edge[end]))] : [];
    const ins = page.edges.filter((edge) => edge.to === id), outs = page.edges.filter((edge) => edge.from === id);
    details.replaceChildren(...numbers(node), ...way("made from", ins, "from"), ...way("used in", outs, "to"));
  }
  mark();
}

function goButton(edge, id) {
  const rule = edge.rule ? [made("br"), made("code", {}, edge.rule)] : [];
  const button = made("button", {}, nodes.get(id).label, ...rule);
  button.addEventListener("click", () => go(id));
  return button;
}

function go(id) { // to a node, wherever it is folded
  for (const home of homesOf(nodes.get(id))) state.folded.delete(home);
  draw();
  choose(id);
  shapeOf(id)?.focus({ preventScroll: true });
  near(id);
}

// ------------------------------------------------------------------------------------------------- searching

function search(text) {
  const wanted = text.trim().toLowerCase();
  state.hits = wanted ? page.nodes.filter((node) => `${node.label} ${node.about} ${node.path}`.toLowerCase().includes(wanted)).map((node) => node.id) : [];
  at("found").textContent = wanted ? `${state.hits.length} found` : "";
  state.hit = -1;
  mark();
}

function nextHit() {
  if (!state.hits.length) return;
  state.hit = (state.hit + 1) % state.hits.length;
  const id = state.hits[state.hit];
  for (const home of homesOf(nodes.get(id))) state.folded.delete(home);
  draw();
  choose(id);
  near(id);
  at("found").textContent = `${state.hit + 1} of ${state.hits.length}`;
}
