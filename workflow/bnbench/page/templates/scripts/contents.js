// The table of contents marks the section that is read; what is linked to is opened.
{
  const bar = document.querySelector(".contents details");
  const links = bar ? [...bar.querySelectorAll("a")] : [];
  const headings = links.map((link) => document.getElementById(link.hash.slice(1)));
  const beside = matchMedia("(min-width: 80rem)");

  function mark() {
    const above = headings.filter((heading) => heading.getBoundingClientRect().top < innerHeight / 3);
    const end = scrollY > 0 && innerHeight + scrollY >= document.documentElement.scrollHeight - 2;
    const current = end ? headings.length - 1 : above.length - 1;
    links.forEach((link, i) => (i === current ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current")));
    if (beside.matches && current >= 0) {
      const [nav, at] = [bar.parentElement, links[current]];
      if (at.offsetTop < nav.scrollTop || at.offsetTop + at.offsetHeight > nav.scrollTop + nav.clientHeight)
        nav.scrollTop = at.offsetTop - nav.clientHeight / 2;
    }
  }

  function openLinked() {
    const linked = location.hash && document.getElementById(location.hash.slice(1));
    if (!linked) return;
    for (let one = linked.closest("details"); one; one = one.parentElement.closest("details")) one.open = true;
    if (linked.matches("details")) linked.open = true;
    linked.scrollIntoView();
  }

  if (bar) {
    const arrange = () => (bar.open = beside.matches);
    arrange();
    beside.addEventListener("change", arrange);
    bar.addEventListener("click", (event) => {
      if (event.target.matches("a") && !beside.matches) bar.open = false;
    });
    bar.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || beside.matches) return;
      bar.open = false;
      bar.querySelector("summary").focus();
    });
    let asked = false;
    addEventListener(
      "scroll",
      () => {
        if (!asked)
          requestAnimationFrame(() => {
            asked = false;
            mark();
          });
        asked = true;
      },
      { passive: true },
    );
    addEventListener("resize", mark);
    mark();
  }
  // A link to where the page is already changes no address, so clicks count too.
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.('a[href^="#"]');
    if (link && link.hash === location.hash) openLinked();
  });
  addEventListener("hashchange", openLinked);
  openLinked();
}
