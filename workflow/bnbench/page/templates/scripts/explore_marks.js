// What a mark says: beside it while a pointer or the focus is on it, and to screen readers as its label.
const bubble = element("div", { class: "bubble", hidden: "", "aria-hidden": "true" });
document.body.append(bubble);
addEventListener("keydown", (event) => {
  if (event.key === "Escape") bubble.hidden = true;
});

// `lines` are pairs of a name and a text.
function showBubble({ title, lines }, box) {
  const list = element("dl", {}, ...lines.flatMap(([name, text]) => [element("dt", {}, name), element("dd", {}, text)]));
  bubble.replaceChildren(element("b", {}, title), list);
  bubble.hidden = false;
  const { width, height } = bubble.getBoundingClientRect();
  const x = Math.min(Math.max(8, box.left), document.documentElement.clientWidth - width - 8);
  const y = box.top - height - 8 > 0 ? box.top - height - 8 : box.bottom + 8;
  bubble.style.transform = `translate(${x + scrollX}px, ${y + scrollY}px)`;
}

const spoken = ({ title, lines }) => [title, ...lines.map(([name, text]) => `${name} ${text}`)].join("; ");

// A figure is one stop of the Tab key; from mark to mark lead the arrows up and down. What was in focus stays there
// when the figure is drawn anew.
function walkable(marks, focused) {
  marks.forEach((mark, place) => {
    mark.setAttribute("tabindex", place === Math.max(0, focused) ? 0 : -1);
    mark.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      const next = marks[place + step];
      if (!step) return;
      event.preventDefault();
      if (!next) return;
      mark.setAttribute("tabindex", -1);
      next.setAttribute("tabindex", 0);
      next.focus();
    });
  });
  if (focused >= 0) marks[focused]?.focus();
}

// A mark that says one thing.
function saying(mark, words) {
  mark.setAttribute("role", "img");
  mark.setAttribute("aria-label", spoken(words));
  const show = () => showBubble(words, mark.getBoundingClientRect());
  for (const event of ["pointerenter", "focus"]) mark.addEventListener(event, show);
  for (const event of ["pointerleave", "blur"]) mark.addEventListener(event, () => (bubble.hidden = true));
}

// A panel that says something at each of several places: at that under the pointer, or by the arrows left and right.
// `words(place)` says what, `highlight(place)` shows where and gives the point in the panel; null takes it away.
const lastPlaces = new Map(); // of each panel, so that it stays where it was when it is drawn anew
function sliding(panel, key, label, places, nearest, words, highlight, pick) {
  let at = Math.min(lastPlaces.get(key) ?? places.length, places.length - 1);
  panel.setAttribute("role", "slider");
  panel.setAttribute("aria-label", label);
  panel.setAttribute("aria-valuemin", 0);
  panel.setAttribute("aria-valuemax", places.length - 1);
  const tell = () => {
    lastPlaces.set(key, at);
    panel.setAttribute("aria-valuenow", at);
    panel.setAttribute("aria-valuetext", spoken(words(places[at])));
  };
  const show = () => {
    const box = panel.getBoundingClientRect();
    const unit = box.width / SIZE.width;
    const [x, y] = highlight(places[at]);
    showBubble(words(places[at]), { left: box.left + (x + 10) * unit, top: box.top + y * unit, bottom: box.top + (y + 10) * unit });
  };
  const leave = () => {
    highlight(null);
    bubble.hidden = true;
  };
  tell();
  panel.addEventListener("pointermove", (event) => {
    const box = panel.getBoundingClientRect();
    const unit = SIZE.width / box.width;
    at = nearest((event.clientX - box.left) * unit, (event.clientY - box.top) * unit);
    tell();
    show();
  });
  panel.addEventListener("pointerleave", leave);
  panel.addEventListener("blur", leave);
  panel.addEventListener("focus", () => panel.matches(":focus-visible") && show());
  panel.addEventListener("click", () => pick?.(places[at]));
  panel.addEventListener("keydown", (event) => {
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: places.length - 1 }[event.key];
    if (to !== undefined) at = Math.min(Math.max(0, to), places.length - 1);
    else if (pick && ["Enter", " "].includes(event.key)) pick(places[at]);
    else return;
    event.preventDefault();
    tell();
    show();
  });
}

const closest = (distances) => distances.reduce((best, distance, place) => (distance < distances[best] ? place : best), 0);
