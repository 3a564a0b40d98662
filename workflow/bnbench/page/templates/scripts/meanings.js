// What a column means, at its head: on hover, on focus and on touch. Without it, the list below the table says so.
{
  const tip = document.body.appendChild(document.createElement("div"));
  tip.setAttribute("role", "tooltip");
  tip.hidden = true;
  let closing;

  function hideTip() {
    tip.hidden = true;
  }

  function showTip(head, text) {
    clearTimeout(closing);
    tip.textContent = text;
    tip.hidden = false;
    const [at, own] = [head.getBoundingClientRect(), tip.getBoundingClientRect()];
    const below = at.bottom + own.height + 8 < innerHeight;
    tip.style.left = `${Math.max(8, Math.min(at.left, document.documentElement.clientWidth - own.width - 8))}px`;
    tip.style.top = `${below ? at.bottom + 6 : Math.max(8, at.top - own.height - 6)}px`;
  }

  // A pointer may move from the head onto what it says.
  function hideSoon() {
    clearTimeout(closing);
    closing = setTimeout(hideTip, 250);
  }

  let explained = 0;
  for (const block of document.querySelectorAll(".table")) {
    const terms = [...block.querySelectorAll(".meanings dt")];
    for (const head of block.querySelectorAll("thead th")) {
      const term = terms.find((one) => one.textContent.trim() === head.textContent.trim());
      if (!term) continue;
      const meaning = term.nextElementSibling;
      meaning.id ||= `meaning-${(explained += 1)}`;
      const button = head.querySelector("button") ?? asButton(head);
      button.classList.add("explained");
      button.setAttribute("aria-describedby", meaning.id);
      const show = () => showTip(button, meaning.textContent);
      button.addEventListener("pointerenter", show);
      button.addEventListener("pointerleave", hideSoon);
      button.addEventListener("focus", show);
      button.addEventListener("blur", hideTip);
      button.addEventListener("click", show);
    }
  }
  tip.addEventListener("pointerenter", () => clearTimeout(closing));
  tip.addEventListener("pointerleave", hideSoon);
  addEventListener("keydown", (event) => event.key === "Escape" && hideTip());
  addEventListener("scroll", hideTip, { passive: true, capture: true });
}
