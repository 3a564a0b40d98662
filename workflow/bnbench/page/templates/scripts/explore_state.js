// What the reader has chosen, held in one place: kept in the address, and told to all that shows it.
const explored = JSON.parse(document.getElementById("explore-data")?.textContent ?? "null");
const unchosen = () => ({ outcome: "", show: "", scale: "", seed: "", without: [], hide: [], where: {} });
const chosen = unchosen();
const watchers = []; // called after every choice

function choose(change) {
  Object.assign(chosen, change);
  // The query, not the fragment: a click on a link inside the page would take the fragment's place.
  const query = new URLSearchParams();
  for (const name of ["outcome", "show", "scale", "seed"]) if (chosen[name]) query.set(name, chosen[name]);
  for (const name of ["without", "hide"]) for (const one of chosen[name]) query.append(name, one);
  for (const [factor, level] of Object.entries(chosen.where)) if (level) query.set(`where.${factor}`, level);
  try {
    history.replaceState(null, "", (query.size ? `?${query}` : location.pathname) + location.hash);
  } catch {
    // A page that is shown inside another one may have no address of its own; the choice holds all the same.
  }
  for (const watch of watchers) watch();
}

// A link may come from an earlier version of the study: what this one does not have is not chosen.
function chosenInAddress() {
  const query = new URLSearchParams(location.search);
  const allowed = {
    outcome: Object.keys(explored?.outcomes ?? {}),
    show: ["values", "effects"],
    scale: ["log", "linear"],
    seed: (explored?.seeds ?? []).map(String),
    without: (explored?.arms ?? []).map((arm) => arm.label),
    hide: (explored?.contexts ?? []).map((context) => context.name),
  };
  const known = (name) => query.getAll(name).filter((value) => allowed[name].includes(value));
  const found = unchosen();
  for (const name of ["outcome", "show", "scale", "seed"]) found[name] = known(name)[0] ?? "";
  for (const name of ["without", "hide"]) found[name] = known(name);
  for (const { name, options } of document.querySelectorAll("form.filters select[name]")) {
    const level = query.get(`where.${name}`);
    if ([...options].some((option) => option.value === level)) found.where[name] = level;
  }
  return found;
}

const toggled = (list, one) => (list.includes(one) ? list.filter((other) => other !== one) : [...list, one]);
const outcomeName = () => chosen.outcome || explored.decides;
const isOn = (arm) => !chosen.without.includes(explored.arms[arm].label);

// Whether what has these levels is shown: of text and rows by their attributes, of marks by their context.
function isShown(held) {
  const matches = ([factor, level]) => !level || held[factor] === undefined || held[factor] === level;
  const hidden = (explored?.contexts ?? []).filter((context) => chosen.hide.includes(context.name));
  const isOf = (context) => Object.entries(context.held).every(([factor, level]) => held[factor] === level);
  return Object.entries(chosen.where).every(matches) && !hidden.some(isOf);
}

// With a comparison, where the page can be filtered by it.
const isContextShown = (context, comparison) =>
  isShown({ ...explored.contexts[context].held, comparison: explored.comparisons[comparison]?.title });
