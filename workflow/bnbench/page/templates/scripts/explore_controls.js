// The controls, and the figures that they change. Selects of one choice show the same everywhere.
const note = (text) => element("p", { class: "note" }, text);

// With a comparison chosen, its two arms alone.
function isArmShown(arm) {
  const compared = explored.comparisons.find((one) => one.title === chosen.where.comparison);
  return isOn(arm) && (!compared || [compared.baseline, compared.treatment].includes(arm));
}

function toggle(list, value, text, kind) {
  const button = element("button", { type: "button", class: kind }, text);
  button.addEventListener("click", () => choose({ [list]: toggled(chosen[list], value) }));
  watchers.push(() => button.setAttribute("aria-pressed", !chosen[list].includes(value)));
  return button;
}

function choosing(select) {
  select.addEventListener("input", () => choose({ [select.dataset.choice]: select.selectedIndex ? select.value : "" }));
  watchers.push(() => (select.value = chosen[select.dataset.choice] || select.options[0].value));
}

// A figure's own controls: a button for each arm, which is its legend too; and, unless the form stands right above, its
// selects once more.
function toolbar(form, isBelow) {
  const bar = element("div", { class: "toolbar" });
  for (const select of isBelow ? [] : form.querySelectorAll("select[data-choice]:not([data-choice=seed])")) {
    const label = select.closest("label").cloneNode(true);
    choosing(label.querySelector("select"));
    bar.append(label);
  }
  const arms = explored.arms.map((arm, place) => toggle("without", arm.label, arm.title, `legend arm-${place % 8}`));
  bar.append(element("div", { role: "group", "aria-label": "Arms" }, ...arms));
  return bar;
}

function interactive(figure, draw, form) {
  const drawing = element("div", { class: "drawing" });
  const role = element("p", { class: "note role" });
  let marks = [];
  figure.classList.add("drawn");
  figure.prepend(element("div", { class: "explored" }, toolbar(form, form.nextElementSibling?.nextElementSibling === figure), role, drawing));
  watchers.push(() => {
    const isDeciding = outcomeName() === explored.decides;
    role.hidden = isDeciding;
    role.textContent = `The ${explored.outcomes[outcomeName()].title} is exploratory: it has no verdict.`;
    const focused = marks.indexOf(document.activeElement);
    const drawn = draw();
    drawing.replaceChildren(...drawn.parts);
    marks = drawn.marks;
    walkable(marks, Math.min(focused, marks.length - 1));
  });
}

const form = document.querySelector("form.filters");
if (form && explored) {
  form.querySelectorAll("select[data-choice]").forEach(choosing);
  for (const button of form.querySelectorAll("button[data-context]")) {
    const { name } = explored.contexts[button.dataset.context];
    button.replaceWith(toggle("hide", name, name, "legend"));
  }
  const draws = { forest: drawForest, curves: Object.keys(explored.curves).length && drawCurves, pairs: Object.keys(explored.finals).length && drawPairs };
  for (const figure of document.querySelectorAll("figure[data-explore]"))
    if (draws[figure.dataset.explore]) interactive(figure, draws[figure.dataset.explore], form);
}
if (form) {
  // On a telephone the answer comes first.
  if (matchMedia("(max-width: 44rem)").matches) form.querySelector(".controls").open = false;
  form.querySelector("button[type=reset]").addEventListener("click", (event) => {
    event.preventDefault();
    choose(unchosen());
  });
  choose(chosenInAddress());
}
