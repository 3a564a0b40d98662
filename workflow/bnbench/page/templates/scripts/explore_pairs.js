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
  const view = viewOf();
  const { outcome, name, isDeciding } = view;
  const isEffect = chosen.show === "effects" && isDeciding && explored.paired;
  const parts = [];
  if (chosen.show === "effects" && !isEffect) parts.push(note(explored.paired ? `The effect of each pair is known of the outcome that decides, ${explored.outcomes[explored.decides].title}, alone: here are the values.` : "Runs that are not paired have no effect one by one: here are the values."));
  const drawn = panelsOf(shownColumns(isEffect, name), { ...view, isEffect }, (columns) => columns.flatMap((column) => column.values), pairsPanel);
  if (!drawn) return { parts: [...parts, note(name in explored.finals ? "There is nothing to show of what is switched on." : `${outcome.title}: no values of single ${explored.run}s exist.`)], marks: [] };
  const joined = explored.paired ? "; lines join the trials of a seed" : "";
  const caption = isEffect
    ? `Dots: ${effectName(outcome, true)}, of each seed. Grey band: the margin. There are no intervals.`
    : isDeciding ? "" : `Dots: ${outcome.title} of each ${explored.run}${joined}. A cross with a number: that many diverged. There are no intervals.`;
  return { parts: [...parts, ...drawn.parts], marks: drawn.marks, caption, ring: isEffect ? "its effect" : "its value in each arm" };
}

// Names below the columns: level where they fit, else slanted, with the room that they need below the panel.
function columnNames(panel, columns, middle, room, { width, height, bottom }) {
  const isLevel = columns.every((column) => column.title.length * 6.5 < room);
  const names = columns.map((column) => short(column.title, isLevel ? 99 : 18));
  const more = isLevel ? 0 : Math.max(...names.map((name) => name.length)) * 5.4 - bottom + 22;
  panel.setAttribute("viewBox", `0 0 ${width} ${height + Math.max(0, more)}`);
  names.forEach((name, place) => {
    const [x, y] = [middle(place), height - bottom + (isLevel ? 16 : 10)];
    const slant = { "text-anchor": "end", transform: `rotate(-60 ${x} ${y})` };
    panel.append(element("text", { x: isLevel ? x : x + 2, y, ...(isLevel ? { "text-anchor": "middle" } : slant) }, name));
  });
}

function pairsPanel(context, columns, view) {
  const { outcome, size, up, isEffect } = view;
  const panel = element("svg");
  const room = (size.width - size.left - size.right) / columns.length;
  const middle = (place) => size.left + room * (place + 0.5);
  panel.append(panelAxes(view, null, ""));
  columnNames(panel, columns, middle, room, size);
  const text = isEffect ? effectText : valueText;
  const seeds = [...new Set(columns.flatMap((column) => column.seeds))].sort((a, b) => a - b);
  const values = new Map(seeds.map((seed) => [seed, columns.map((column) => column.values[column.seeds.indexOf(seed)])]));
  const height = (value) => (up.can(value) ? up(value) : size.top); // what diverged stands at the top
  const dots = (seed) => values.get(seed).flatMap((value, place) => (value === undefined ? [] : [[middle(place), height(value), value, columns[place]]]));
  const path = (seed) => `M${dots(seed).map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join("L")}`;
  const isJoined = explored.paired && columns.length > 1;
  if (isJoined) panel.append(element("path", { class: "joined", d: seeds.filter((seed) => dots(seed).every(([, , value]) => up.can(value))).map(path).join("") }));
  for (const [cx, cy, value, column] of seeds.flatMap(dots))
    if (up.can(value)) panel.append(element("circle", { class: `dot ${column.kind}`, cx, cy, r: 3.5 }));
  columns.forEach((column, place) => {
    const lost = column.values.filter((value) => !up.can(value)).length;
    if (!lost) return;
    panel.append(element("path", { class: `cross ${column.kind}`, d: `M${middle(place)},${size.top}m-4,-4l8,8m0,-8l-8,8` }));
    panel.append(element("text", { x: middle(place) + 7, y: size.top + 4 }, lost));
  });
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
  return panel;
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
