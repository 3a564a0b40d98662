// A button below what one would copy. Pages from disk may have no clipboard; there the text is selected and copied.
{
  function copyBySelection(element) {
    const range = document.createRange();
    range.selectNodeContents(element);
    const selection = getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
    const done = document.execCommand("copy");
    if (done) selection.removeAllRanges();
    return done;
  }

  for (const block of document.querySelectorAll(".copied")) {
    const source = block.firstElementChild;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    const said = document.createElement("span");
    said.className = "note";
    said.setAttribute("role", "status");
    button.addEventListener("click", async () => {
      let done = false;
      try {
        await navigator.clipboard.writeText(source.innerText.trim());
        done = true;
      } catch {
        done = copyBySelection(source);
      }
      said.textContent = done ? " Copied." : " Selected: copy it with your keyboard.";
      setTimeout(() => (said.textContent = ""), 4000);
    });
    block.append(button, said);
  }
}
