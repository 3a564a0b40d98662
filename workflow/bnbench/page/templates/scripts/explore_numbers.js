// Numbers as the tables write them: the twin of wording/effects.py and wording/formats.py. A test compares the two.

// Of two numbers that are as near, Python takes the even one, JavaScript the larger.
function rounded(size, digits, form) {
  const exact = size[form](Math.min(100, digits + 60));
  const [number, power] = exact.split("e");
  const cut = number.indexOf(".") + (digits ? digits + 1 : 0);
  const isTie = /^\.?50*$/.test(number.slice(cut)) && "02468".includes(number.slice(0, cut).at(-1));
  return isTie ? number.slice(0, cut) + (power === undefined ? "" : `e${power}`) : size[form](digits);
}

const fixed = (size, decimals) => rounded(size, decimals, "toFixed");
const grouped = (text) => text.replace(/\B(?=(\d{3})+(?!\d))/g, ",");

// 1.61e-03
function exponential(size, decimals) {
  const [number, power] = rounded(size, decimals, "toExponential").split("e");
  return `${number}e${power[0]}${power.slice(1).padStart(2, "0")}`;
}

// Significant digits without needless zeros; with an exponent where the number is very large or small.
function general(size, digits) {
  const text = exponential(size, digits - 1);
  const power = Number(text.split("e")[1]);
  const trimmed = (number) => (number.includes(".") ? number.replace(/\.?0+$/, "") : number);
  if (power >= -4 && power < digits) return trimmed(fixed(size, digits - 1 - power));
  const [number, exponent] = text.split("e");
  return `${trimmed(number)}e${exponent}`;
}

function ratioText(ratio) {
  if (ratio < 0.1) return general(ratio, 2);
  if (ratio < 1.995) {
    let digits = 2;
    while (ratio !== 1 && Number(fixed(ratio, digits)) === 1) digits += 1;
    return fixed(ratio, digits);
  }
  if (ratio < 9.95) return fixed(ratio, 1);
  return ratio < 1e6 ? grouped(fixed(Number(exponential(ratio, 1)), 0)) : exponential(ratio, 1);
}

function differenceText(difference, units) {
  if (difference === 0) return "0";
  const size = Math.abs(difference) * units;
  const decimals = Math.max(0, 1 - Math.floor(Math.log10(size)));
  const [whole, rest] = fixed(size, decimals).split(".");
  return `${difference < 0 ? "−" : "+"}${grouped(whole)}${rest ? `.${rest}` : ""}`;
}

function effectText(outcome, effect) {
  if (effect === null) return "–";
  return outcome.ratio ? ratioText(effect) : differenceText(effect, outcome.units);
}

function valueText(outcome, value) {
  if (value === null) return "–";
  const size = Math.abs(value);
  const sign = value < 0 ? "-" : "";
  if (outcome.form === "e") return sign + exponential(size, 2);
  if (outcome.form === "%") return `${sign}${fixed(100 * size, 1)} %`;
  if (outcome.form === "g") return sign + general(size, 3);
  const isShare = outcome.form === "own%";
  const shown = isShare ? 100 * size : size;
  const number = shown >= 1e3 && shown < 1e9 ? grouped(fixed(shown, 0)) : isShare ? fixed(shown, 1) : general(shown, 3);
  return `${value < 0 ? "−" : ""}${number}${isShare ? " %" : ""}`;
}

const withLimits = (text, low, high) => (low === null ? text : `${text} (${low} to ${high})`);
const valueWithLimits = (outcome, { value, low, high }) =>
  withLimits(valueText(outcome, value), low === null ? null : valueText(outcome, low), valueText(outcome, high));
const effectWithLimits = (outcome, { value, low, high }) =>
  withLimits(effectText(outcome, value), low === null ? null : effectText(outcome, low), effectText(outcome, high));
