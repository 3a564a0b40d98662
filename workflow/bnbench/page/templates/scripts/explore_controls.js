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

// What is shown: its outcome, and whether that decides.
function viewOf() {
  const name = outcomeName();
  return { name, outcome: explored.outcomes[name], isDeciding: name === explored.decides };
}

// What a drawing shows, where it is something else than the printed figure; and what is added to it.
function captionOf({ marks, caption, ring }) {
  const { outcome, isDeciding } = viewOf();
  const added = [];
  if (marks.length && outcome.ratio && chosen.scale === "linear") added.push("The axis is linear.");
  if (marks.length && chosen.seed && ring) added.push(`Rings: seed ${chosen.seed}, ${ring}.`);
  const isOther = !marks.length || Boolean(caption);
  const own = isOther && marks.length ? [caption, isDeciding ? "This outcome decides the verdicts." : "This outcome is exploratory: it has no verdict."] : [];
  return { isOther, text: [...own, ...added].join(" ") };
}

function interactive(figure, draw, form) {
  const drawing = element("div", { class: "drawing" });
  const own = element("span", { class: "own" });
  let marks = [];
  figure.querySelector("figcaption .printed").after(own);
  figure.classList.add("drawn");
  figure.prepend(element("div", { class: "explored" }, toolbar(form, form.nextElementSibling?.nextElementSibling === figure), drawing));
  watchers.push(() => {
    const focused = marks.indexOf(document.activeElement);
    const drawn = draw();
    drawing.replaceChildren(...drawn.parts);
    marks = drawn.marks;
    const { isOther, text } = captionOf(drawn);
    figure.classList.toggle("other", isOther);
    own.textContent = text && ` ${text}`;
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
