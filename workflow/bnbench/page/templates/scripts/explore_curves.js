// The curves: what each arm came to over the epochs, a panel for each context; or the effect over them.
const shift = () => (explored.log_epochs ? 1 : 0); // epoch 0 is the first of its kind

function pathOf(line, epochs, across, up, names) {
  const along = (name) => epochs.map((epoch, i) => (up.can(line[name][i]) ? `${across(epoch + shift()).toFixed(1)},${up(line[name][i]).toFixed(1)}` : null));
  const one = (points) => points.reduce((path, point, i) => path + (point === null ? "" : `${i && points[i - 1] !== null ? "L" : "M"}${point}`), "");
  if (names.length === 1) return one(along(names[0]));
  const [low, high] = names.map(along);
  const both = low.flatMap((point, i) => (point !== null && high[i] !== null ? [i] : []));
  return both.length < 2 ? "" : `M${both.map((i) => low[i]).join("L")}L${both.reverse().map((i) => high[i]).join("L")}Z`;
}

// The lines of each context that are switched on, and what each is called.
function shownCurves(isEffect, name) {
  if (isEffect) {
    const lines = explored.differences.filter((line) => isContextShown(line.context, line.comparison) && isOn(explored.comparisons[line.comparison].treatment));
    return lines.map((line) => ({ ...line, title: explored.comparisons[line.comparison].title, kind: explored.comparisons.length > 1 ? `arm-${explored.comparisons[line.comparison].treatment % 8}` : "exploratory" }));
  }
  const lines = (explored.curves[name] ?? []).filter((line) => isContextShown(line.context) && isArmShown(line.arm));
  return lines.map((line) => ({ ...line, title: explored.arms[line.arm].title, kind: `arm-${line.arm % 8}` }));
}

function drawCurves() {
  const name = outcomeName();
  const isEffect = chosen.show === "effects" && name === explored.decides && explored.differences.length > 0;
  const outcome = explored.outcomes[name];
  const lines = shownCurves(isEffect, name);
  const parts = [];
  if (chosen.show === "effects" && !isEffect) parts.push(note(`The effect over the ${explored.epoch}s is known of ${explored.paired ? `the outcome that decides, ${explored.outcomes[explored.decides].title},` : "pairs"} alone: here are the values.`));
  const every = lines.flatMap((line) => [...line.value, ...line.low, ...line.high]).filter((number) => number !== null);
  const up = scaleOf(isEffect ? [...every, outcome.ratio ? 1 : 0] : every, isLogScale(outcome), SIZE.height - SIZE.bottom, SIZE.top);
  if (!up) return { parts: [...parts, note(name in explored.curves ? "There is nothing to show of what is switched on." : `${outcome.title}: no values per ${explored.epoch} exist.`)], marks: [] };
  const epochs = lines.flatMap((line) => explored.grids[line.grid]).map((epoch) => epoch + shift());
  const across = scaleOf([Math.min(...epochs), Math.max(...epochs)], explored.log_epochs, SIZE.left, SIZE.width - SIZE.right, 0.01);
  const contexts = [...new Set(lines.map((line) => line.context))];
  const text = isEffect ? effectWithLimits : valueWithLimits;
  const drawn = contexts.map((context) => curvePanel(context, lines.filter((line) => line.context === context), { outcome, name, up, across, isEffect, text }));
  return { parts: [...parts, grid(drawn.map((one) => one.whole))], marks: drawn.map((one) => one.panel) };
}

function curvePanel(context, lines, { outcome, name, up, across, isEffect, text }) {
  const epochs = [...new Set(lines.flatMap((line) => explored.grids[line.grid]))].sort((a, b) => a - b);
  const label = explored.log_epochs ? `${explored.epoch}s of training` : explored.epoch;
  const panel = element("svg", { viewBox: `0 0 ${SIZE.width} ${SIZE.height}` });
  panel.append(panelAxes(up, tickText(outcome, isEffect), across, plainTick, label));
  if (isEffect) {
    const none = up(outcome.ratio ? 1 : 0);
    panel.append(element("line", { class: "none", x1: SIZE.left, x2: SIZE.width - SIZE.right, y1: none, y2: none }));
  }
  for (const line of lines) {
    const grid = explored.grids[line.grid];
    panel.append(element("path", { class: `band ${line.kind}`, d: pathOf(line, grid, across, up, ["low", "high"]) }));
    panel.append(element("path", { class: `curve ${line.kind}`, d: pathOf(line, grid, across, up, ["value"]) }));
    const seed = isEffect ? null : finalOf(name, context, line.arm, chosen.seed);
    if (up.can(seed)) panel.append(element("circle", { class: "seed", cx: across(grid.at(-1) + shift()), cy: up(seed), r: 4 }));
  }
  const rule = element("line", { class: "rule", y1: SIZE.top, y2: SIZE.height - SIZE.bottom, x1: 0, x2: 0, visibility: "hidden" });
  panel.append(rule);
  const at = (line, epoch) => {
    const place = explored.grids[line.grid].indexOf(epoch);
    return place < 0 ? null : { value: line.value[place], low: line.low[place], high: line.high[place] };
  };
  const words = (epoch) => ({
    title: [explored.contexts[context].name, `${explored.epoch} ${epoch.toLocaleString("en")}`].filter(Boolean).join(", "),
    lines: lines.flatMap((line) => {
      const point = at(line, epoch);
      const lost = line.diverged ? `, ${line.diverged} diverged` : "";
      return point ? [[line.title, `${text(outcome, point)}, n = ${line.n}${lost}`]] : [];
    }),
  });
  const highlight = (epoch) => {
    rule.setAttribute("visibility", epoch === null ? "hidden" : "visible");
    if (epoch === null) return null;
    const x = across(epoch + shift());
    for (const end of ["x1", "x2"]) rule.setAttribute(end, x);
    return [x, SIZE.top + 20];
  };
  const nearest = (x) => closest(epochs.map((epoch) => Math.abs(across(epoch + shift()) - x)));
  sliding(panel, `curves ${context}`, `${explored.contexts[context].name || outcome.title} over the ${explored.epoch}s`, epochs, nearest, words, highlight);
  return { panel, whole: element("div", {}, element("div", { class: "title" }, explored.contexts[context].name), panel) };
}
