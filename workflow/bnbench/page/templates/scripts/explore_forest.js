// The forest: the effect in each context with its interval, or what each arm came to.
const percent = (place) => `${place.toFixed(3)}%`;

function forestRows(outcome) {
  const treatmentOn = (row) => isOn(explored.comparisons[row.comparison].treatment);
  return explored.effects[outcome].filter((row) => isContextShown(row.context, row.comparison) && treatmentOn(row));
}

function rowName(row) {
  const names = [explored.contexts[row.context].name];
  if (explored.comparisons.length > 1 || !names[0]) names.unshift(explored.comparisons[row.comparison].title);
  return names.filter(Boolean).join(", ");
}

function forestWords(name, row, isDeciding, seed) {
  const { baseline, treatment } = explored.comparisons[row.comparison];
  const { said } = row;
  const lines = [
    [explored.outcomes[name].effect, said.effect],
    [explored.arms[baseline].title, said.baseline],
    [explored.arms[treatment].title, said.treatment],
    [explored.paired ? "seeds" : "runs", said.pairs],
    [isDeciding ? "adjusted p" : "p, false discoveries", said.p],
    isDeciding ? ["verdict", said.verdict] : ["exploratory", "decides nothing"],
  ];
  if (seed !== undefined) lines.push([`seed ${chosen.seed}`, effectText(explored.outcomes[name], seed)]);
  return { title: rowName(row), lines };
}

const sameContrast = (row) => (other) => other.context === row.context && other.comparison === row.comparison;

// The effect on the picked seed, which is known of the outcome that decides.
function seedEffect(row, isDeciding) {
  const of = chosen.seed && isDeciding ? explored.changes.find(sameContrast(row)) : undefined;
  return of?.values[of.seeds.indexOf(explored.seeds.indexOf(Number(chosen.seed)))];
}

function effectMarks(row, scale, outcome, isDeciding, seed) {
  const kind = isDeciding ? row.verdict.replace(" ", "-") : "exploratory";
  const marks = element("svg", { class: `row ${kind}`, height: 26, width: "100%" });
  const across = (low, high, attributes) =>
    scale.can(low) && scale.can(high) && element("line", { x1: percent(scale(low)), x2: percent(scale(high)), y1: 13, y2: 13, ...attributes });
  if (isDeciding) {
    const [low, high] = explored.margin.map(scale);
    marks.append(element("rect", { class: "margin", x: percent(low), width: percent(high - low), y: 0, height: 26 }));
  }
  const none = scale(noEffect(outcome));
  marks.append(element("line", { class: "none", x1: percent(none), x2: percent(none), y1: 0, y2: 26 }));
  marks.append(...[across(row.low, row.high, { class: "thin" }), across(row.own_low, row.own_high, { class: "thick" })].filter(Boolean));
  if (scale.can(row.effect)) marks.append(element("circle", { cx: percent(scale(row.effect)), cy: 13, r: 5.5, class: row.solid ? "solid" : "hollow" }));
  if (seed !== undefined && scale.can(seed)) marks.append(element("circle", { class: "seed", cx: percent(scale(seed)), cy: 13, r: 4 }));
  return marks;
}

function valueMarks(row, scale, seeds) {
  const marks = element("svg", { class: "row", height: 26, width: "100%" });
  const arms = Object.entries({ baseline: row.baseline, treatment: row.treatment });
  for (const [name, value] of arms) {
    const arm = explored.comparisons[row.comparison][name];
    if (!isOn(arm)) continue;
    if (scale.can(value)) marks.append(element("circle", { class: `arm arm-${arm % 8}`, cx: percent(scale(value)), cy: 13, r: 5.5 }));
    if (scale.can(seeds[name])) marks.append(element("circle", { class: "seed", cx: percent(scale(seeds[name])), cy: 13, r: 4 }));
  }
  return marks;
}

// What both arms came to on the picked seed.
function seedValues(name, row) {
  const value = (arm) => finalOf(name, row.context, explored.comparisons[row.comparison][arm], chosen.seed);
  return chosen.seed ? { baseline: value("baseline"), treatment: value("treatment") } : { baseline: null, treatment: null };
}

function forestAxis(scale, text, label, none) {
  const axis = element("svg", { class: "row axes", height: 24, width: "100%" });
  for (const tick of ticksOf(scale, isRoomy() ? 6 : 4, none)) {
    const x = percent(scale(tick));
    axis.append(element("line", { x1: x, x2: x, y1: 0, y2: 5 }), element("text", { x, y: 18, "text-anchor": "middle" }, text(tick)));
  }
  const ends = element("div", { class: "axis-label" }, label);
  return element("div", { class: "forest-row axis", "aria-hidden": "true" }, element("span"), element("div", {}, axis, ends), element("span"));
}

function forestCaption(outcome, isDeciding, isEffect) {
  if (isDeciding && isEffect) return "";
  if (isEffect) return `Dots: ${effectName(outcome, true)}. Lines: ${explored.level} intervals of each context by itself.`;
  return `Dots: ${outcome.title} of each arm, averaged over the ${explored.paired ? "seeds" : "runs"}. There are no intervals.`;
}

function drawForest() {
  const { name, outcome, isDeciding } = viewOf();
  const isEffect = chosen.show !== "values";
  if (!(name in explored.effects)) return { parts: [note(`${outcome.title}: the arms are not compared by it.`)], marks: [] };
  const rows = forestRows(name);
  const seeds = rows.map((row) => (isEffect ? seedEffect(row, isDeciding) : seedValues(name, row)));
  const numbers = isEffect
    ? [...rows.flatMap((row) => [row.effect, row.low, row.high, row.own_low, row.own_high]), ...seeds.filter((seed) => seed !== undefined), noEffect(outcome), ...(isDeciding ? explored.margin : [])]
    : rows.flatMap((row, place) => [row.baseline, row.treatment, seeds[place].baseline, seeds[place].treatment]);
  const scale = scaleOf(numbers.filter((number) => number !== null && number !== undefined), isLogScale(outcome), 6, 94, 0.02);
  if (!rows.length || !scale) return { parts: [note("There is nothing to show of what is switched on.")], marks: [] };
  const marks = rows.map((row, place) => {
    const seed = isEffect ? seeds[place] : undefined;
    const picture = isEffect ? effectMarks(row, scale, outcome, isDeciding, seed) : valueMarks(row, scale, seeds[place]);
    const said = isEffect ? `${isDeciding ? `${row.said.verdict}, ` : ""}${row.said.instead ?? row.said.effect}` : `${row.said.baseline}, ${row.said.treatment}`;
    const mark = element("div", { class: "forest-row" }, element("span", {}, rowName(row)), picture, element("span", {}, said));
    saying(mark, forestWords(name, row, isDeciding, seed));
    return mark;
  });
  const [worse, better] = outcome.lower ? ["worse →", "← better"] : ["better →", "← worse"];
  const label = isEffect ? `${outcome.lower ? better : "← worse"} · ${effectName(outcome, true)} · ${worse}` : outcome.title;
  const axis = forestAxis(scale, tickText(outcome, isEffect), label, isEffect ? noEffect(outcome) : null);
  const list = element("div", { class: `forest-rows ${marks.length > 24 ? "many" : ""}` }, ...marks, axis);
  return { parts: [list], marks, caption: forestCaption(outcome, isDeciding, isEffect), ring: isEffect ? "its effect" : "its value in each arm" };
}
