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
  return Object.assign(place, { low: ends[0], high: ends[1], isLog, can: (number) => Number.isFinite(number) && (!isLog || number > 0) });
}

function linearTicks(low, high, most) {
  const rough = (high - low) / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((times) => times * power).find((size) => size >= rough);
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

// At least two numbers of every axis are written: powers of ten, else steps between them, else even steps.
function ticksOf(scale, most = 5) {
  const { low, high, isLog } = scale;
  if (!isLog) return linearTicks(low, high, most);
  const powers = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power += 1) powers.push(power);
  for (const steps of [[1], [1, 2, 5]]) {
    const all = powers.flatMap((power) => steps.map((step) => Number(`${step}e${power}`)));
    const found = all.filter((tick) => tick >= low && tick <= high);
    const every = Math.ceil(found.length / most);
    if (found.length >= (steps.length > 1 ? 2 : 3)) return found.filter((_, place) => place % every === 0);
  }
  return linearTicks(low, high, most);
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

const SIZE = { width: 300, height: 190, left: 50, right: 18, top: 8, bottom: 36 };

// The axes of one panel: numbers up the side, `across` along the bottom.
function panelAxes(up, upText, across, acrossText, label) {
  const { width, height, left, right, top, bottom } = SIZE;
  const axes = element("g", { class: "axes" });
  for (const tick of ticksOf(up, 5)) {
    const y = up(tick);
    axes.append(element("line", { x1: left, x2: width - right, y1: y, y2: y }));
    axes.append(element("text", { x: left - 5, y: y + 3.5, "text-anchor": "end" }, upText(tick)));
  }
  for (const [place, text] of across ? ticksOf(across, 4).map((tick) => [across(tick), acrossText(tick)]) : []) {
    axes.append(element("line", { x1: place, x2: place, y1: height - bottom, y2: height - bottom + 4 }));
    axes.append(element("text", { x: place, y: height - bottom + 15, "text-anchor": "middle" }, text));
  }
  if (label) axes.append(element("text", { x: (left + width - right) / 2, y: height - 5, "text-anchor": "middle" }, label));
  axes.append(element("line", { class: "edge", x1: left, x2: width - right, y1: height - bottom, y2: height - bottom }));
  return axes;
}

// Panels side by side, two in a row where three would leave one alone; many scroll in a box of their own.
function grid(panels) {
  const kind = panels.length > 12 ? "many" : [2, 4].includes(panels.length) ? "two" : "";
  return element("div", { class: `panels ${kind}` }, ...panels);
}

// Which axis is logarithmic: what the reader chose, else losses and ratios.
const isLogScale = (outcome) => (outcome.ratio ? chosen.scale !== "linear" : false);
