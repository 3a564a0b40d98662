// The curves: what each arm came to over the epochs, a panel for each context; or the effect over them.
const shift = () => (explored.log_epochs ? 1 : 0); // epoch 0 is the first of its kind

// A line breaks off where it leaves the axis; a band goes on at its edge.
function pathOf(line, epochs, across, up, names) {
  const point = (epoch, number) => `${across(epoch + shift()).toFixed(1)},${up.held(number).toFixed(1)}`;
  if (names.length > 1) {
    const [low, high] = names.map((name) => line[name]);
    const both = epochs.flatMap((_, i) => (up.can(low[i]) && up.can(high[i]) ? [i] : []));
    const along = (numbers) => both.map((i) => point(epochs[i], numbers[i])).join("L");
    return both.length < 2 ? "" : `M${along(low)}L${both.reverse().map((i) => point(epochs[i], high[i])).join("L")}Z`;
  }
  const numbers = line[names[0]];
  return epochs.map((epoch, i) => (up.isInside(numbers[i]) ? `${i && up.isInside(numbers[i - 1]) ? "L" : "M"}${point(epoch, numbers[i])}` : "")).join("");
}

// Triangles where a line leaves the axis, or comes back.
function leavings(line, epochs, across, up) {
  const isBeyond = (i) => up.can(line.value[i]) && !up.isInside(line.value[i]);
  const at = epochs.flatMap((_, i) => (isBeyond(i) && !(i && isBeyond(i - 1)) ? [i] : []));
  return at.map((i) => `M${across(epochs[i] + shift()).toFixed(1)},${up.held(line.value[i]).toFixed(1)}${line.value[i] > up.high ? "l-4,7h8z" : "l-4,-7h8z"}`).join("");
}

// The numbers that the axis holds: those within a fence around the lines, which a few that run away do not widen.
function fenced(lines, isLog) {
  const along = isLog ? Math.log10 : (number) => number;
  const known = (numbers) => numbers.filter((number) => number !== null && (!isLog || number > 0));
  const values = known(lines.flatMap((line) => line.value)).map(along).sort((a, b) => a - b);
  const [low, high] = [0.1, 0.9].map((share) => values[Math.round(share * (values.length - 1))]);
  const room = 1.5 * (high - low) + (isLog ? 0.5 : 0.1 * Math.max(Math.abs(low), Math.abs(high)));
  return known(lines.flatMap((line) => [...line.value, ...line.low, ...line.high])).filter((number) => along(number) >= low - room && along(number) <= high + room);
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
  const view = viewOf();
  const isEffect = chosen.show === "effects" && view.isDeciding && explored.differences.length > 0;
  const { outcome, name } = view;
  const lines = shownCurves(isEffect, name);
  const parts = [];
  if (chosen.show === "effects" && !isEffect) parts.push(note(`The effect over the ${explored.epoch}s is known of ${explored.paired ? `the outcome that decides, ${explored.outcomes[explored.decides].title},` : "pairs"} alone: here are the values.`));
  const epochs = lines.flatMap((line) => explored.grids[line.grid]).map((epoch) => epoch + shift());
  const drawn = panelsOf(lines, { ...view, isEffect, ends: [Math.min(...epochs), Math.max(...epochs)] }, (some) => [...fenced(some, isLogScale(outcome)), ...(isEffect ? [] : some.map((line) => finalOf(name, line.context, line.arm, chosen.seed)))], curvePanel);
  if (!drawn) return { parts: [...parts, note(name in explored.curves ? "There is nothing to show of what is switched on." : `${outcome.title}: no values per ${explored.epoch} exist.`)], marks: [] };
  const beyond = drawn.marks.some((panel) => panel.querySelector(".leaves")?.getAttribute("d")) ? " Triangles: the line goes on beyond the axis." : "";
  const caption = isEffect
    ? `Lines: ${effectName(outcome, true)}, by ${explored.epoch}; bands: ${explored.level} bands that hold for all ${explored.epoch}s and comparisons together. Grey band: the margin.`
    : view.isDeciding ? "" : `Lines: ${outcome.title} by ${explored.epoch}, averaged over the ${explored.run}s that stay finite; bands: ${explored.level} intervals, ${explored.epoch} by ${explored.epoch}.`;
  const ring = isEffect ? "" : "at the right edge, the value of each arm that is judged";
  return { parts: [...parts, ...drawn.parts], marks: drawn.marks, caption: caption && caption + beyond, ring };
}

function curvePanel(context, lines, view) {
  const { outcome, name, size, up, ends, isEffect } = view;
  const text = isEffect ? effectWithLimits : valueWithLimits;
  const epochs = [...new Set(lines.flatMap((line) => explored.grids[line.grid]))].sort((a, b) => a - b);
  const across = scaleOf(ends, explored.log_epochs, size.left, size.width - size.right, 0.01);
  const panel = element("svg", { viewBox: `0 0 ${size.width} ${size.height}` });
  panel.append(panelAxes(view, across, explored.log_epochs ? `${explored.epoch}s of training` : explored.epoch));
  const seeds = isEffect ? [] : lines.map((line) => finalOf(name, context, line.arm, chosen.seed));
  lines.forEach((line, i) => {
    const grid = explored.grids[line.grid];
    panel.append(element("path", { class: `band ${line.kind}`, d: pathOf(line, grid, across, up, ["low", "high"]) }));
    panel.append(element("path", { class: `curve ${line.kind}`, d: pathOf(line, grid, across, up, ["value"]) }));
    panel.append(element("path", { class: `leaves ${line.kind}`, d: leavings(line, grid, across, up) }));
    if (up.can(seeds[i])) panel.append(element("circle", { class: "seed", cx: across(grid.at(-1) + shift()), cy: up.held(seeds[i]), r: 4 }));
  });
  const rule = element("line", { class: "rule", y1: size.top, y2: size.height - size.bottom, x1: 0, x2: 0, visibility: "hidden" });
  panel.append(rule);
  const words = (epoch) => ({
    title: [explored.contexts[context].name, `${explored.epoch} ${epoch.toLocaleString("en")}`].filter(Boolean).join(", "),
    lines: lines.flatMap((line, i) => {
      const place = explored.grids[line.grid].indexOf(epoch);
      if (place < 0) return [];
      const lost = line.diverged ? `, ${line.diverged} diverged` : "";
      const own = `${text(outcome, { value: line.value[place], low: line.low[place], high: line.high[place] })}, n = ${line.n}${lost}`;
      const isRinged = epoch === epochs.at(-1) && up.can(seeds[i]);
      return [[line.title, own], ...(isRinged ? [[`${line.title}, ring: seed ${chosen.seed}`, valueText(outcome, seeds[i])]] : [])];
    }),
  });
  const highlight = (epoch) => {
    rule.setAttribute("visibility", epoch === null ? "hidden" : "visible");
    if (epoch === null) return null;
    const x = across(epoch + shift());
    for (const end of ["x1", "x2"]) rule.setAttribute(end, x);
    return [x, size.top + 20];
  };
  const nearest = (x) => closest(epochs.map((epoch) => Math.abs(across(epoch + shift()) - x)));
  sliding(panel, `curves ${context}`, `${explored.contexts[context].name || outcome.title} over the ${explored.epoch}s`, epochs, nearest, words, highlight);
  return panel;
}
