// Copies the text of the element that a button names in `data-copy`, and says so beside the button.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  const said = button.parentElement.querySelector("[data-copied]");
  let done = "Copied.";
  try {
    await navigator.clipboard.writeText(source.textContent);
  } catch {
    // Browsers lend the clipboard to pages of this machine and to https only.
    getSelection().selectAllChildren(source);
    done = "Selected. Copy it with the keyboard.";
  }
  if (said) said.textContent = done;
});
