// Elements, scales and axes, which all figures draw with.
function element(name, attributes = {}, ...children) {
  const isSvg = ["svg", "g", "line", "path", "circle", "text", "rect"].includes(name);
  const made = isSvg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// A function from numbers to places between `from` and `to`, with room at both ends; null where nothing is to be shown.
function scaleOf(numbers, isLog, from, to, room = 0.05) {
  const shown = numbers.filter((number) => Number.isFinite(number) && (!isLog || number > 0));
  if (!shown.length) return null;
  const along = isLog ? Math.log10 : (number) => number;
  let [low, high] = [along(Math.min(...shown)), along(Math.max(...shown))];
  // Numbers that are all the same stand in the middle.
  const least = isLog ? 0.05 : Math.abs(high) > 1e-9 ? Math.abs(high) * 0.05 : 0.01;
  const more = high - low < 1e-9 * Math.max(1, Math.abs(high)) ? least : room * (high - low);
  [low, high] = [low - more, high + more];
  const place = (number) => from + ((along(number) - low) / (high - low)) * (to - from);
  const ends = isLog ? [10 ** low, 10 ** high] : [low, high];
  const can = (number) => number !== null && Number.isFinite(number) && (!isLog || number > 0);
  const isInside = (number) => can(number) && number >= ends[0] && number <= ends[1];
  const held = (number) => place(Math.min(Math.max(number, ends[0]), ends[1])); // what lies beyond stands at the edge
  return Object.assign(place, { low: ends[0], high: ends[1], isLog, can, isInside, held });
}

function linearTicks(low, high, most) {
  const rough = (high - low) / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((times) => times * power).find((size) => size >= rough);
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

function logTicks(low, high, most) {
  const powers = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power += 1) powers.push(power);
  for (const steps of [[1], [1, 2, 5]]) {
    const all = powers.flatMap((power) => steps.map((step) => Number(`${step}e${power}`)));
    const found = all.filter((tick) => tick >= low && tick <= high);
    const every = Math.ceil(found.length / most);
    if (found.length >= 3) return found.filter((_, place) => place % every === 0);
  }
  return linearTicks(low, high, most);
}

// At least two numbers of every axis are written, three where they fit: powers of ten, else steps between them, else even steps. `none`, no
// effect, is one of them where it is given, with two others if they fit.
function ticksOf(scale, most = 5, none = null) {
  const { low, high, isLog } = scale;
  const found = (isLog ? logTicks : linearTicks)(low, high, most);
  if (none === null || !scale.isInside(none)) return found;
  const gap = Math.abs(scale(high) - scale(low)) / (2.5 * most);
  const others = found.filter((tick) => Math.abs(scale(tick) - scale(none)) > gap);
  return others.length < 2 && most < 9 ? ticksOf(scale, most + 2, none) : [...others, none].sort((a, b) => a - b);
}

const plainTick = (number) => {
  const size = Math.abs(number);
  const text = size && (size < 1e-3 || size >= 1e5) ? size.toExponential().replace("e+", "e") : `${Number(size.toPrecision(6))}`;
  return `${number < 0 ? "−" : ""}${text}`;
};
const tickText = (outcome, isEffect) => (number) => {
  if (outcome.units === 1) return isEffect && !outcome.ratio && number > 0 ? `+${plainTick(number)}` : plainTick(number);
  return isEffect ? `${number > 0 ? "+" : ""}${plainTick(100 * number)}` : `${plainTick(100 * number)} %`;
};

const isRoomy = () => matchMedia("(min-width: 44rem)").matches;
const SIZE = { width: 300, height: 206, left: 50, right: 18, top: 24, bottom: 36 };
// A single panel is as wide as the page.
const sizeOf = (count) => ({ ...SIZE, width: count === 1 && isRoomy() ? 620 : SIZE.width });
const short = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);
const noEffect = (outcome) => (outcome.ratio ? 1 : 0);

// The axes of a panel: numbers up the side below what they are, `across` along the bottom; of effects, the margin of the
// outcome that decides and the line of no effect.
function panelAxes({ size, up, outcome, isEffect, isDeciding }, across, label) {
  const { width, height, left, right, top, bottom } = size;
  const [axes, none] = [element("g", { class: "axes" }), isEffect ? noEffect(outcome) : null];
  const line = (attributes) => axes.append(element("line", attributes));
  const write = (text, attributes) => axes.append(element("text", attributes, text));
  if (isEffect && isDeciding) {
    const [low, high] = explored.margin.map(up.held);
    axes.append(element("rect", { class: "margin", x: left, width: width - right - left, y: high, height: low - high }));
  }
  for (const tick of ticksOf(up, 5, none)) {
    line({ x1: left, x2: width - right, y1: up(tick), y2: up(tick), ...(tick === none ? { class: "edge" } : {}) });
    write(tickText(outcome, isEffect)(tick), { x: left - 5, y: up(tick) + 3.5, "text-anchor": "end" });
  }
  for (const tick of across ? ticksOf(across, 4) : []) {
    line({ x1: across(tick), x2: across(tick), y1: height - bottom, y2: height - bottom + 4 });
    write(plainTick(tick), { x: across(tick), y: height - bottom + 15, "text-anchor": "middle" });
  }
  write(short(`↑ ${effectName(outcome, isEffect)}`, 48), { x: 4, y: 11 });
  write(label, { x: (left + width - right) / 2, y: height - 5, "text-anchor": "middle" });
  line({ class: "edge", x1: left, x2: width - right, y1: height - bottom, y2: height - bottom });
  return axes;
}

// What an axis shows: test loss, ratio to no BN.
const effectName = (outcome, isEffect) => (isEffect ? `${outcome.title}, ${outcome.effect} ${outcome.ratio ? "to" : "from"} ${explored.base}` : outcome.title);

// Whether one scale would hide what happens: the contexts lie more than two decades apart.
function areFarApart(ofContexts, isLog) {
  const ends = ofContexts.map((numbers) => numbers.map(Math.abs).filter((size) => size > 0)).filter((sizes) => sizes.length);
  const apart = (pick) => Math.log10(Math.max(...ends.map((sizes) => pick(...sizes))) / Math.min(...ends.map((sizes) => pick(...sizes))));
  return ends.length > 1 && (apart(Math.max) > 2 || (isLog && apart(Math.min) > 2));
}

// Panels, one for each context: two in a row where three would leave one alone; many scroll in a box of their own.
// `numbersOf` says what of some lines the axis must hold, `draw` makes a panel. On one scale, unless that would hide.
function panelsOf(lines, view, numbersOf, draw) {
  const contexts = [...new Set(lines.map((line) => line.context))];
  const size = sizeOf(contexts.length);
  const none = view.isEffect ? [noEffect(view.outcome)] : [];
  const of = (context) => lines.filter((line) => line.context === context);
  const numbers = contexts.map((context) => numbersOf(of(context)).filter((number) => number !== null));
  const scale = (some) => scaleOf([...some, ...none], isLogScale(view.outcome), size.height - size.bottom, size.top + 6);
  const isOwn = areFarApart(numbers, isLogScale(view.outcome));
  const shared = scale(numbers.flat());
  if (!shared || !contexts.length) return null;
  const drawn = contexts.map((context, place) => {
    const panel = draw(context, of(context), { ...view, size, up: (isOwn && scale(numbers[place])) || shared });
    return { panel, whole: element("div", {}, element("div", { class: "title" }, explored.contexts[context].name), panel) };
  });
  const kind = drawn.length > 12 ? "many" : { 1: "one", 2: "two", 4: "two" }[drawn.length] ?? "";
  const said = isOwn ? [note("Each panel has a scale of its own: the contexts lie more than two decades apart.")] : [];
  return { parts: [...said, element("div", { class: `panels ${kind}` }, ...drawn.map((one) => one.whole))], marks: drawn.map((one) => one.panel) };
}

// Which axis is logarithmic: what the reader chose, else losses and ratios.
const isLogScale = (outcome) => (outcome.ratio ? chosen.scale !== "linear" : false);
