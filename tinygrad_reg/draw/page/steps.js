// The slider: the computation node by node, forward and then backward; and the keys.

const slider = at("slider");
let running = null;

function toStep(number) {
  state.step = Math.max(0, Math.min(page.steps.length, number));
  slider.value = state.step;
  const step = state.step ? page.steps[state.step - 1] : null;
  at("count").textContent = step ? `${step.phase} · step ${state.step} of ${page.steps.length}` : `${page.steps.length} steps`;
  at("words").replaceChildren(...(step ? said(step) : [made("span", {}, "Move the slider: first the values are computed, then the gradients flow back.")]));
  mark();
  if (step) near(shownAs(step.node));
}

function said(step) {
  const node = nodes.get(step.node), kind = step.phase === "backward" ? "back" : "";
  const lines = [made("div", { class: kind }, made("b", {}, node.label), ` ${step.text}`)];
  for (const line of step.lines) lines.push(made("div", { class: kind }, made("code", {}, line)));
  return lines;
}

function run(yes) {
  clearInterval(running);
  running = null;
  if (yes) {
    if (state.step === page.steps.length) toStep(0);
    running = setInterval(() => (state.step < page.steps.length ? toStep(state.step + 1) : run(false)), 900);
  }
  at("run").textContent = yes ? "❚❚" : "▶";
  at("run").setAttribute("aria-label", yes ? "Pause" : "Run");
}

function along(forward) {
  const id = document.activeElement?.dataset?.id;
  const line = id && state.drawn.lines.find((one) => (forward ? one.from : one.to) === id);
  if (line) shapeOf(forward ? line.to : line.from)?.focus();
}

function keysShown(yes) {
  at("keys").hidden = !yes;
  at("help").setAttribute("aria-expanded", yes);
}

const byKey = {
  "+": () => zoom(1.25), "=": () => zoom(1.25), "-": () => zoom(0.8), "0": fit, "[": () => toStep(state.step - 1), "]": () => toStep(state.step + 1),
  " ": () => run(!running), "/": () => at("search").focus(), "?": () => keysShown(at("keys").hidden), ArrowRight: () => along(true), ArrowLeft: () => along(false),
  Escape: () => { keysShown(false); choose(null); run(false); },
  Enter: () => document.activeElement?.dataset?.id && act(document.activeElement.dataset.id),
};

addEventListener("keydown", (event) => {
  const typing = event.target.matches("input");
  if (event.ctrlKey || event.metaKey || event.altKey || (typing && event.key !== "Escape") || (event.target.matches("button") && [" ", "Enter"].includes(event.key))) return;
  if (!byKey[event.key]) return;
  event.preventDefault();
  byKey[event.key]();
});

at("search").addEventListener("input", (event) => search(event.target.value));
at("search").addEventListener("keydown", (event) => {
  if (event.key === "Enter") nextHit();
  if (event.key === "Escape") event.target.blur();
});
slider.addEventListener("input", () => { run(false); toStep(Number(slider.value)); });
at("back").addEventListener("click", () => { run(false); toStep(state.step - 1); });
at("on").addEventListener("click", () => { run(false); toStep(state.step + 1); });
at("run").addEventListener("click", () => run(!running));
at("fold").addEventListener("click", () => foldAll(true));
at("unfold").addEventListener("click", () => foldAll(false));
at("in").addEventListener("click", () => zoom(1.25));
at("out").addEventListener("click", () => zoom(0.8));
at("fit").addEventListener("click", fit);
at("help").addEventListener("click", () => keysShown(at("keys").hidden));
at("theme").addEventListener("click", () => {
  const root = document.documentElement;
  root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
});
addEventListener("resize", fit);

at("title").textContent = page.title;
at("hint").textContent = page.hint;
at("legend").append(...page.legend.map(({ kind, text }) => made("li", {}, made("i", { style: `background: var(--${kind}); border-color: var(--${kind}-edge)` }), text)));
slider.max = page.steps.length;
at("steps").hidden = !page.steps.length;
for (const id of ["fold", "unfold"]) at(id).hidden = !page.groups.length;
draw();
begin();
toStep(0);
