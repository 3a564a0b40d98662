// Paper has no summaries to click on: what carries the answer is opened, and what is mere reference is not.
const details = [...document.querySelectorAll("details")];
let opened = [];
addEventListener("beforeprint", () => {
  opened = details.filter((one) => !one.open && one.dataset.print !== "no");
  for (const one of opened) one.open = true;
});
addEventListener("afterprint", () => {
  for (const one of opened) one.open = false;
});
