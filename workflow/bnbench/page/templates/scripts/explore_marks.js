// What a mark says: beside it while a pointer or the focus is on it, and to screen readers as its label.
const bubble = element("div", { class: "bubble", hidden: "", "aria-hidden": "true" });
document.body.append(bubble);
addEventListener("keydown", (event) => {
  if (event.key === "Escape") bubble.hidden = true;
});

// `lines` are pairs of a name and a text; it stands beside the box, inside the window.
function showBubble({ title, lines }, box) {
  const list = element("dl", {}, ...lines.flatMap(([name, text]) => [element("dt", {}, name), element("dd", {}, text)]));
  bubble.replaceChildren(element("b", {}, title), list);
  bubble.hidden = false;
  const { width, height } = bubble.getBoundingClientRect();
  const [across, down] = [document.documentElement.clientWidth, document.documentElement.clientHeight];
  const inside = (place, length, room) => Math.max(8, Math.min(place, room - length - 8));
  const x = box.right + 12 + width < across ? box.right + 12 : box.left - 12 - width;
  const y = box.bottom + 6 + height < down ? box.bottom + 6 : box.top - 6 - height;
  bubble.style.transform = `translate(${inside(x, width, across) + scrollX}px, ${inside(y, height, down) + scrollY}px)`;
}
watchers.push(() => (bubble.hidden = true)); // before anything is drawn anew: its numbers may be others

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

// A mark that says one thing, beside its dot.
function saying(mark, words) {
  mark.setAttribute("role", "img");
  mark.setAttribute("aria-label", spoken(words));
  const show = () => showBubble(words, (mark.querySelector("circle") ?? mark.querySelector("svg")).getBoundingClientRect());
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
    const unit = box.width / panel.viewBox.baseVal.width;
    const [x, y] = highlight(places[at]).map((place) => place * unit);
    showBubble(words(places[at]), { left: box.left + x, right: box.left + x, top: box.top + y, bottom: box.top + y });
  };
  const leave = () => {
    highlight(null);
    bubble.hidden = true;
  };
  tell();
  panel.addEventListener("pointermove", (event) => {
    const box = panel.getBoundingClientRect();
    const unit = panel.viewBox.baseVal.width / box.width;
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
    else if (!pick || !["Enter", " "].includes(event.key)) return;
    event.preventDefault();
    if (to === undefined) return pick(places[at]); // the figure is drawn anew, and its focus says the rest
    tell();
    show();
  });
}

const closest = (distances) => distances.reduce((best, distance, place) => (distance < distances[best] ? place : best), 0);
