// The seeds: what every trial came to, the trials of a seed joined where they are compared; or the effect of each pair.
function finalOf(name, context, arm, seed) {
  const trials = seed ? explored.finals[name]?.find((one) => one.context === context && one.arm === arm) : undefined;
  return trials?.values[trials.seeds.indexOf(explored.seeds.indexOf(Number(seed)))] ?? null;
}

// Columns of dots: of each arm, or of each comparison.
function shownColumns(isEffect, name) {
  if (isEffect) {
    const some = explored.changes.filter((one) => isContextShown(one.context, one.comparison) && isOn(explored.comparisons[one.comparison].treatment));
    return some.map((one) => ({ ...one, floored: [], place: one.comparison, title: explored.comparisons[one.comparison].title, kind: "exploratory" }));
  }
  const some = (explored.finals[name] ?? []).filter((one) => isContextShown(one.context) && isArmShown(one.arm));
  return some.map((one) => ({ ...one, place: one.arm, title: explored.arms[one.arm].title, kind: `arm arm-${one.arm % 8}` }));
}

function drawPairs() {
  const name = outcomeName();
  const outcome = explored.outcomes[name];
  const isEffect = chosen.show === "effects" && name === explored.decides && explored.paired;
  const parts = [];
  if (chosen.show === "effects" && !isEffect) parts.push(note(explored.paired ? `The effect of each pair is known of the outcome that decides, ${explored.outcomes[explored.decides].title}, alone: here are the values.` : "Runs that are not paired have no effect one by one: here are the values."));
  const columns = shownColumns(isEffect, name);
  const every = columns.flatMap((column) => column.values).filter((value) => value !== null);
  const up = scaleOf(isEffect ? [...every, outcome.ratio ? 1 : 0] : every, isLogScale(outcome), SIZE.height - SIZE.bottom, SIZE.top + 6);
  if (!up) return { parts: [...parts, note(name in explored.finals ? "There is nothing to show of what is switched on." : `${outcome.title}: no values of single ${explored.run}s exist.`)], marks: [] };
  const contexts = [...new Set(columns.map((column) => column.context))];
  const drawn = contexts.map((context) => pairsPanel(context, columns.filter((column) => column.context === context), { outcome, up, isEffect }));
  return { parts: [...parts, grid(drawn.map((one) => one.whole))], marks: drawn.map((one) => one.panel) };
}

function pairsPanel(context, columns, { outcome, up, isEffect }) {
  const panel = element("svg", { viewBox: `0 0 ${SIZE.width} ${SIZE.height}` });
  const room = (SIZE.width - SIZE.left - SIZE.right) / columns.length;
  const middle = (place) => SIZE.left + room * (place + 0.5);
  panel.append(panelAxes(up, tickText(outcome, isEffect), null, null, ""));
  // A name that is wider than its column would run into the next: the colours say it too.
  if (columns.every((column) => column.title.length * 6.5 < room))
    columns.forEach((column, place) => panel.append(element("text", { x: middle(place), y: SIZE.height - SIZE.bottom + 16, "text-anchor": "middle" }, column.title)));
  if (isEffect) {
    const none = up(outcome.ratio ? 1 : 0);
    panel.append(element("line", { class: "none", x1: SIZE.left, x2: SIZE.width - SIZE.right, y1: none, y2: none }));
  }
  const text = isEffect ? effectText : valueText;
  const seeds = [...new Set(columns.flatMap((column) => column.seeds))].sort((a, b) => a - b);
  const values = new Map(seeds.map((seed) => [seed, columns.map((column) => column.values[column.seeds.indexOf(seed)])]));
  const height = (value) => (up.can(value) ? up(value) : SIZE.top); // what diverged stands at the top
  const dots = (seed) => values.get(seed).flatMap((value, place) => (value === undefined ? [] : [[middle(place), height(value), value, columns[place]]]));
  const path = (seed) => `M${dots(seed).map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join("L")}`;
  const isJoined = explored.paired && columns.length > 1;
  if (isJoined) panel.append(element("path", { class: "joined", d: seeds.filter((seed) => dots(seed).every(([, , value]) => up.can(value))).map(path).join("") }));
  const crossed = "m-4,-4l8,8m0,-8l-8,8";
  for (const [x, y, value, column] of seeds.flatMap(dots))
    panel.append(up.can(value) ? element("circle", { class: `dot ${column.kind}`, cx: x, cy: y, r: 3.5 }) : element("path", { class: `cross ${column.kind}`, d: `M${x},${y}${crossed}` }));
  const ring = (kind) => {
    const group = element("g", { class: kind });
    panel.append(group);
    return (seed) => group.replaceChildren(...(seed === null ? [] : [...(isJoined ? [element("path", { d: path(seed) })] : []), ...dots(seed).map(([cx, cy]) => element("circle", { cx, cy, r: 5 }))]));
  };
  const picked = explored.seeds.indexOf(Number(chosen.seed));
  ring("seed")(chosen.seed && values.has(picked) ? picked : null);
  const under = ring("under");
  const highlight = (seed) => {
    under(seed);
    return seed === null ? null : dots(seed)[0];
  };
  const said = ([, , value, column], seed) => (value === null ? "diverged" : text(outcome, value) + (column.floored.includes(seed) ? ", too small to tell from 0" : ""));
  const words = (seed) => ({
    title: [`seed ${explored.seeds[seed]}`, explored.contexts[context].name].filter(Boolean).join(", "),
    lines: [...dots(seed).map((dot) => [dot[3].title, said(dot, seed)]), ...(isEffect ? [] : effectLines(context, seed, outcome))],
  });
  const nearest = (x, y) => closest(seeds.map((seed) => Math.min(...dots(seed).map(([cx, cy]) => Math.hypot(cx - x, cy - y)))));
  const pick = (seed) => choose({ seed: chosen.seed === `${explored.seeds[seed]}` ? "" : `${explored.seeds[seed]}` });
  sliding(panel, `pairs ${context}`, `${explored.contexts[context].name || outcome.title}, ${explored.paired ? "seed by seed" : "run by run"}`, seeds, nearest, words, highlight, pick);
  return { panel, whole: element("div", {}, element("div", { class: "title" }, explored.contexts[context].name), panel) };
}

// The effect of a seed beside its values, where it is known.
function effectLines(context, seed, outcome) {
  if (outcomeName() !== explored.decides) return [];
  return explored.changes.flatMap((one) => {
    const value = one.context === context ? one.values[one.seeds.indexOf(seed)] : undefined;
    const several = explored.comparisons.length > 1 ? `, ${explored.comparisons[one.comparison].title}` : "";
    return value === undefined ? [] : [[`${outcome.effect}${several}`, effectText(outcome, value)]];
  });
}
